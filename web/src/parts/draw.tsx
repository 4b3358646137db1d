import { useEffect, useRef, useState } from 'preact/hooks';
import { hasModifier } from '../lib/keys';
import { centred, inkBox } from '../lib/pixels';

const kSide = 280; // pixels of the pad
const kSent = 112; // pixels of what is sent: four times MNIST's
const kPen = 22;

interface Props {
  onClose: () => void;
  onPicture: (picture: Blob) => void;
}

/** White ink on black, as MNIST's digits. The arrow keys move the pen and the space bar sets it down or lifts it. */
export function DrawDialog({ onClose, onPicture }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const pen = useRef({ x: kSide / 2, y: kSide / 2, down: false });
  const [cursor, setCursor] = useState<{ x: number; y: number; down: boolean }>();
  const [blank, setBlank] = useState(true);

  useEffect(() => {
    dialog.current?.showModal();
    clear();
    canvas.current?.focus();
  }, []);

  const clear = (): void => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    context.fillStyle = '#000';
    context.fillRect(0, 0, kSide, kSide);
    context.strokeStyle = '#fff';
    context.lineWidth = kPen;
    context.lineCap = 'round';
    context.lineJoin = 'round';
    setBlank(true);
  };
  const line = (x: number, y: number): void => {
    const context = canvas.current?.getContext('2d');
    if (!context) return;
    context.beginPath();
    context.moveTo(pen.current.x, pen.current.y);
    context.lineTo(x, y);
    context.stroke();
    setBlank(false);
  };
  const place = (event: PointerEvent): [number, number] => {
    const box = canvas.current!.getBoundingClientRect();
    return [((event.clientX - box.left) * kSide) / box.width, ((event.clientY - box.top) * kSide) / box.height];
  };
  const pointerDown = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    canvas.current?.setPointerCapture(event.pointerId);
    const [x, y] = place(event);
    pen.current = { x, y, down: true };
    setCursor(undefined);
    line(x + 0.1, y);
  };
  const pointerMove = (event: PointerEvent): void => {
    if (!pen.current.down || cursor) return;
    const [x, y] = place(event);
    line(x, y);
    pen.current = { x, y, down: true };
  };
  const keyDown = (event: KeyboardEvent): void => {
    if (hasModifier(event)) return;
    const step: Record<string, [number, number]> = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, -10], ArrowDown: [0, 10] };
    const by = step[event.key];
    if (!by && event.key !== ' ') return;
    event.preventDefault();
    const { x, y, down } = pen.current;
    const next = by ? { x: Math.min(Math.max(x + by[0], 0), kSide), y: Math.min(Math.max(y + by[1], 0), kSide), down } : { x, y, down: !down };
    if (next.down) line(next.x + 0.1, next.y);
    pen.current = next;
    setCursor(next);
  };
  // Closed first, so that the browser gives the focus back to where it was.
  const search = (): void =>
    void pictureOf(canvas.current!).then((picture) => {
      dialog.current?.close();
      if (picture) onPicture(picture);
    });
  return (
    <dialog ref={dialog} class="dialog draw" aria-labelledby="draw-title" onClose={onClose}>
      <h2 id="draw-title">Draw</h2>
      <p id="draw-help">With the pointer, or with the arrow keys after the space bar set the pen down. It is centred and scaled before it is asked.</p>
      <div class="pad">
        <canvas
          ref={canvas}
          width={kSide}
          height={kSide}
          tabIndex={0}
          role="img"
          aria-label={cursor ? `Drawing pad, pen ${cursor.down ? 'down' : 'up'} at ${Math.round(cursor.x)}, ${Math.round(cursor.y)}` : 'Drawing pad'}
          aria-describedby="draw-help"
          onPointerDown={pointerDown}
          onPointerMove={pointerMove}
          onPointerUp={() => (pen.current.down = false)}
          onPointerCancel={() => (pen.current.down = false)}
          onKeyDown={keyDown}
        />
        {cursor && <span class={cursor.down ? 'pen down' : 'pen'} style={{ left: `${(cursor.x / kSide) * 100}%`, top: `${(cursor.y / kSide) * 100}%` }} />}
      </div>
      <p class="actions">
        <button type="button" class="primary" disabled={blank} onClick={search}>
          Search
        </button>
        <button type="button" disabled={blank} onClick={clear}>
          Clear
        </button>
        <button type="button" onClick={() => dialog.current?.close()}>
          Cancel
        </button>
      </p>
    </dialog>
  );
}

/** The drawing as a PNG, prepared as MNIST prepares digits. */
function pictureOf(drawn: HTMLCanvasElement): Promise<Blob | null> {
  const pixels = drawn.getContext('2d')!.getImageData(0, 0, drawn.width, drawn.height);
  const box = inkBox(pixels.data, pixels.width, pixels.height);
  const out = document.createElement('canvas');
  out.width = out.height = kSent;
  const context = out.getContext('2d')!;
  context.fillRect(0, 0, kSent, kSent);
  if (box) {
    const { scale, x, y } = centred(box, kSent);
    context.setTransform(scale, 0, 0, scale, x, y);
    context.drawImage(drawn, 0, 0);
  }
  return new Promise((resolve) => out.toBlob(resolve, 'image/png'));
}
