/** A bar from nothing to all. */

type Props = { name: string; share: number; status: string | undefined };

export function ProgressBar({ name, share, status }: Props) {
  return (
    <div
      class="progress"
      role="progressbar"
      aria-label={name}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(share * 100)}
      data-status={status}
    >
      <span style={{ '--share': String(share) }} />
    </div>
  );
}
