// A canvas that is as sharp as the screen, and drawn again where its size or the page's colours change.

/**
 * @param {HTMLCanvasElement} canvas sized by CSS
 * @param {(context: CanvasRenderingContext2D, width: number, height: number) => void} draw in CSS pixels
 * @returns {() => void} asks for a drawing, at most one a frame
 */
export function drawn(canvas, draw) {
  const context = canvas.getContext("2d");
  let waiting = false;
  const now = () => {
    waiting = false;
    const { clientWidth: width, clientHeight: height } = canvas;
    const scale = devicePixelRatio;
    const [wide, high] = [Math.round(width * scale), Math.round(height * scale)];
    if (canvas.width !== wide) canvas.width = wide; // even the same width would clear it
    if (canvas.height !== high) canvas.height = high;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    if (width && height) draw(context, width, height);
  };
  const ask = () => {
    if (!waiting) requestAnimationFrame(now);
    waiting = true;
  };
  new ResizeObserver(ask).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", ask);
  return ask;
}
