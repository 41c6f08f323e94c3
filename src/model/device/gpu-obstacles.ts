/** Infers from the facts about a device why TensorFlow uses no GPU, and what to do about it. */
import type { Engine } from '../engines/engine.ts';
import type { TriedLibrary, Variant } from './cuda-libraries.ts';
import type { Product } from './matrix-product.ts';
import type { Nvidia } from './nvidia.ts';

/** What the examination found. */
export type DeviceFacts = {
  readonly nvidia: Nvidia;
  readonly variant: Variant | null; // null: set-up has put no libtensorflow in place
  readonly libraries: readonly TriedLibrary[]; // none where there is no driver
  readonly inContainer: boolean;
  readonly visibleDevices: string | null; // CUDA_VISIBLE_DEVICES
  readonly engine: Engine | null; // null: none opens, and `engineProblem` says why
  readonly engineProblem: string | null;
  readonly product: Product | null;
  readonly said: readonly string[]; // by TensorFlow, of GPUs and libraries
};

/** One thing that stands between TensorFlow and a GPU. */
export type Finding = { readonly what: string; readonly cure: string };

const oldestDriver = 525.6; // runs every CUDA 12, by NVIDIA's minor-version compatibility

const installDriver = 'install the NVIDIA driver on the host, until nvidia-smi names the GPU there';
const giveDevice =
  'install the NVIDIA Container Toolkit on the host and give the container the GPU: docker-compose.yml reserves it, docker run takes --gpus all';
const installWebGpuDriver =
  'install the driver of the GPU, with Vulkan on Linux, until its tools (vulkaninfo) name it; without a GPU unset ENGINE';
const getCuda =
  'TENSORFLOW=cuda npm run setup, or the build argument TENSORFLOW=cuda for an image; it is taken where set-up finds a driver';

/** Returns the obstacles, the one to remove first at the front; none if the engine runs on a GPU. */
export function findObstacles(facts: DeviceFacts): Finding[] {
  const { engine, engineProblem, nvidia } = facts;
  if (engine?.gpu) return [];
  const problem = engineProblem ?? engine?.fallback ?? null;
  const isAboutAdapter = engine?.name === 'webgpu' || /^ENGINE=webgpu: .* adapter/.test(problem ?? '');
  if (problem !== null)
    return [{ what: problem, cure: isAboutAdapter ? installWebGpuDriver : 'npm run setup' }];
  if (engine?.name === 'wasm') return [{ what: 'ENGINE=wasm computes on the CPU', cure: 'unset ENGINE' }];
  if (nvidia.driver === null) return [noDriver(facts)]; // without a driver nothing else matters
  return [...deviceFileProblems(facts), ...driverProblems(facts), ...libraryProblems(facts)];
}

function noDriver({ inContainer }: DeviceFacts): Finding {
  if (!inContainer) return { what: 'no NVIDIA driver was found on this machine', cure: installDriver };
  const what = 'no NVIDIA driver was found in this container or on its host';
  return { what, cure: `${installDriver}; ${giveDevice}` };
}

function deviceFileProblems({ nvidia, inContainer }: DeviceFacts): Finding[] {
  const { driver, files } = nvidia;
  const isThere = files.some(({ path }) => /nvidia\d+$|dxg$/.test(path));
  const makeFiles = 'run nvidia-smi once as root, which makes it, or "modprobe nvidia"';
  const missing = {
    what: `driver ${driver} is loaded, but there is no /dev/nvidia0`,
    cure: inContainer ? giveDevice : makeFiles,
  };
  const closed = files.flatMap(({ path, problem }) =>
    problem === null
      ? []
      : [
          {
            what: `${path} can't be opened: ${problem}`,
            cure: 'run as a user whom that file lets read and write',
          },
        ],
  );
  return isThere ? closed : [missing, ...closed];
}

function driverProblems({ nvidia, variant, visibleDevices }: DeviceFacts): Finding[] {
  const findings: Finding[] = [];
  if (variant === 'cuda' && Number.parseFloat(nvidia.driver!) < oldestDriver) {
    const what = `driver ${nvidia.driver} is too old for CUDA 12`;
    findings.push({ what, cure: 'install driver 525.60.13 or newer' });
  }
  if (visibleDevices !== null && /^(?:|-1|none|void|NoDevFiles)$/i.test(visibleDevices.trim())) {
    const what = `CUDA_VISIBLE_DEVICES=${visibleDevices} hides every GPU`;
    findings.push({ what, cure: 'unset CUDA_VISIBLE_DEVICES' });
  }
  return findings;
}

function libraryProblems({ variant, libraries, said }: DeviceFacts): Finding[] {
  if (variant !== 'cuda' && variant !== 'stock')
    return [{ what: 'this TensorFlow was built without CUDA', cure: getCuda }];
  const broken = libraries.flatMap(({ name, problem }) => (problem === null ? [] : [{ name, problem }]));
  if (broken.length > 0) {
    return broken.map(({ name, problem }) => {
      return { what: `${name} can't be opened: ${problem}`, cure: cureFor(name, variant) };
    });
  }
  const words = said.length > 0 ? said.join(' · ') : 'nothing';
  const what = `every library opens, but TensorFlow sees no GPU; of that it says: ${words}`;
  return [{ what, cure: 'see whether nvidia-smi names the GPU here; restart the container, then the host' }];
}

function cureFor(library: string, variant: 'cuda' | 'stock'): string {
  if (library === 'libcuda.so.1') return `it comes with the driver; in a container, ${giveDevice}`;
  if (variant === 'cuda') return 'npm run setup -- --verify, which mends what set-up has put there';
  return 'install CUDA 11 and cuDNN 8 where the loader finds them (LD_LIBRARY_PATH), or take TENSORFLOW=cuda';
}
