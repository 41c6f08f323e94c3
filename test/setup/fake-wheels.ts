/** Wheels that are laid out as TensorFlow's with CUDA, with a few bytes in place of each library. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

const script = `
import json, os, sys, zipfile
target, wheels = sys.argv[1], json.loads(sys.argv[2])
for name, version, tag, files, requires in wheels:
    info = f'{name}-{version}.dist-info'
    metadata = [f'Metadata-Version: 2.1', f'Name: {name}', f'Version: {version}', *requires]
    with zipfile.ZipFile(os.path.join(target, f'{name}-{version}-{tag}.whl'), 'w') as archive:
        for path, content in files.items():
            archive.writestr(path, content)
        archive.writestr(f'{info}/METADATA', '\\n'.join(metadata) + '\\n')
        archive.writestr(f'{info}/WHEEL', f'Wheel-Version: 1.0\\nRoot-Is-Purelib: false\\nTag: {tag}\\n')
        archive.writestr(f'{info}/RECORD', '')
`;

export function writeFakeWheels(directory: string): void {
  const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
  const others = ['include/tensorflow/c/c_api.h', 'python/keras.py'];
  const tensorflow = Object.fromEntries(
    [...libraries, ...others].map((name) => [`tensorflow/${name}`, name]),
  );
  const requires = [
    'Requires-Dist: numpy>=1.26.0',
    'Requires-Dist: nvidia-cublas-cu12<13.0,>=12.5.3.2; extra == "and-cuda"',
    "Requires-Dist: nvidia-cudnn-cu12 (>=9.3.0.75) ; extra == 'and-cuda'",
  ];
  const nvidia = 'py3-none-manylinux2014_x86_64';
  const wheels = [
    ['tensorflow', '2.21.0', 'cp311-cp311-manylinux_2_27_x86_64', tensorflow, requires],
    ['nvidia_cublas_cu12', '12.9.1.4', nvidia, { 'nvidia/cublas/lib/libcublas.so.12': 'cublas' }, []],
    ['nvidia_cudnn_cu12', '9.3.0.75', nvidia, { 'nvidia/cudnn/lib/libcudnn.so.9': 'cudnn' }, []],
    ['numpy', '2.0.0', 'py3-none-any', { 'numpy/libnumpy.so': 'numpy' }, []],
  ];
  mkdirSync(directory, { recursive: true });
  execFileSync('python3', ['-c', script, directory, JSON.stringify(wheels)]);
}
