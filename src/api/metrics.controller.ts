import { Controller, Get, Res } from '@nestjs/common';
import type { Response } from 'express';
import { ChimeraConfig } from '../config/index.js';
import { Metrics } from '../monitoring/metrics/metrics.js';
import { Access } from './access.js';
import { Described } from './described.js';
import { Refusal } from './refusal.js';
import { SharedAnswers } from './shared-answers.js';

/** For Prometheus. Public like health: it names no endpoint, no key and no borrower. */
@Access('public')
@Controller('metrics')
export class MetricsController {
  constructor(
    private readonly metrics: Metrics,
    private readonly config: ChimeraConfig,
    private readonly shared: SharedAnswers,
  ) {}

  @Described({
    summary: 'Every metric, in the text format of Prometheus',
    type: 'text/plain',
    errors: { 404: 'metrics are switched off' },
  })
  @Get()
  async show(@Res() response: Response): Promise<void> {
    if (!this.config.monitoring.metrics)
      throw new Refusal(404, 'metrics are switched off: monitoring.metrics is false');
    const text = await this.shared.of('metrics', () => this.metrics.asText());
    response.setHeader('Content-Type', this.metrics.contentType);
    response.setHeader('Cache-Control', 'no-store');
    response.send(text);
  }
}
