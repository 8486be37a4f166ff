/**
 * uPlot makes a number format of the browser's language while it is loaded, and throws where that is none:
 * Chromium without a locale calls it "en-US@posix". Import this file before uPlot.
 */
try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en' });
}

export {};
