/** One measurement, as `--json` prints them. */
export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly note: string;
}
