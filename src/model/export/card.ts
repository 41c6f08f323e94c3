/** The card of a version, in Markdown: data, recipe, accuracy, calibration and limits, as far as its manifest has them. */
import { type Manifest, modelOf, readingOf } from '../store/manifest.ts';
import { temperatureOf } from './description.ts';

export function modelCard(manifest: Manifest): string {
  const sections = [
    heading(manifest),
    ['Input and output', ...inputAndOutput(manifest)],
    ['Data', ...data(manifest)],
    ['Recipe', ...recipe(manifest)],
    ['Accuracy', ...accuracy(manifest)],
    ['Calibration', ...calibration(manifest)],
    ['Limits', ...limits(manifest)],
    ['Checksums', ...checksums(manifest)],
  ] as const;
  const [title, ...rest] = sections;
  const parts = [title, ...rest.map(([name, ...paragraphs]) => [`## ${name}`, ...paragraphs].join('\n\n'))];
  return `${parts.join('\n\n')}\n`;
}

function heading(manifest: Manifest): string {
  const { version, createdAt, network, parameters } = manifest;
  const about = `A classifier trained by Trainyard: network \`${network.name}\`, ${parameters} parameters, published ${createdAt}.`;
  return `# ${modelOf(manifest)}, version ${version}\n\n${about}\n\n${fenced(network.layers)}`;
}

function inputAndOutput(manifest: Manifest): string[] {
  const { labels } = readingOf(manifest);
  return [
    `Input: ${manifest.input}. In ONNX and PyTorch the channel comes second: [N, 1, 28, 28].`,
    `Output: one value for each of ${labels.length} labels, in this order:`,
    fenced(labels),
  ];
}

function data({ dataset, request, test }: Manifest): string[] {
  const sums = Object.entries(dataset.sha256).map(([name, sum]) => `- \`${name}\`: SHA-256 \`${sum}\``);
  const learned = request['corrections'] ? ' The training was asked to learn from corrections too.' : '';
  return [
    `Data set \`${dataset.name}\`.${learned}`,
    ...(sums.length > 0 ? [sums.join('\n')] : []),
    ...(test ? [`Test split: SHA-256 \`${test.set}\`, of which ${test.images} images were used.`] : []),
  ];
}

function recipe({
  recipe: name,
  seed,
  epoch,
  epochs,
  engine,
  gitCommit,
  jobId,
  request,
}: Manifest): string[] {
  const commit = gitCommit === null ? 'not known' : `\`${gitCommit}\``;
  return [
    `Recipe \`${name}\`, seed ${seed}, epoch ${epoch} of ${epochs}; job \`${jobId}\`; engine \`${engine.name}\` on \`${engine.device}\`; commit of the program ${commit}. Every value of the request:`,
    fenced(request),
  ];
}

function accuracy({ metrics, test }: Manifest): string[] {
  const images = test ? `${test.images} test images` : 'the test images';
  const { testAccuracy, testLoss, trainLoss } = metrics;
  return [
    `The version reads ${percent(testAccuracy)} of ${images} right. Its loss is ${rounded(testLoss)} on them, and ${rounded(trainLoss)} in training.`,
  ];
}

function calibration({ calibration: fitted }: Manifest): string[] {
  if (!fitted) return ['None: the version was trained without. Temperature 1.'];
  const { temperature, threshold, ece, falseAlarms, images, method } = fitted;
  const lines = [
    `Fitted on ${images} training images that were held back (${method}).`,
    `Temperature ${temperature}, expected calibration error ${percent(ece)} on those images.`,
  ];
  if (threshold !== null)
    lines.push(
      `A picture is none of the labels where 1 / (1 + exp(−L)) is below ${threshold}, with L the logarithm of the sum of the exponentials of the logits, before the temperature; ${percent(falseAlarms)} of the images held back are below it.`,
    );
  return lines;
}

function limits(manifest: Manifest): string[] {
  const { form, labels } = readingOf(manifest);
  const list = [
    `It answers with one of its ${labels.length} labels, whatever the picture shows.`,
    'It reads inputs that are prepared as described above; Trainyard prepares pictures before its network sees them, and that is not part of this file.',
    `Pictures are prepared in the form \`${form}\`, ${normalisationOf(manifest)}; it has learned from no other.`,
    ...(manifest.calibration
      ? []
      : ['It has no calibration: its probabilities were not fitted to be right as often as they say.']),
    ...(manifest.calibration?.threshold === null || !manifest.calibration
      ? ['It was trained without pictures of none of the labels, so nothing tells those apart.']
      : ['The verdicts `known`, `unsure` and `unknown` are not part of this file.']),
    'PyTorch weights give logits: divide them by the temperature before the softmax' +
      ` (${temperatureOf(manifest)}).`,
    ...(manifest.test ? [] : ['How many images it was tested on is not recorded.']),
  ];
  return [list.map((limit) => `- ${limit}`).join('\n')];
}

function normalisationOf({ normalisationVersion }: Manifest): string {
  if (normalisationVersion === undefined) return 'in a version of the normalisation that is not recorded';
  return `in version ${normalisationVersion} of the normalisation`;
}

function checksums({ files, sha256 }: Manifest): string[] {
  const sums = [
    `- stored weights (\`weights.bin\`): SHA-256 \`${files['weights.bin'].sha256}\``,
    `- manifest: SHA-256 \`${sha256}\``,
  ];
  return [sums.join('\n')];
}

/** On one line that begins with a bracket, so no label can end the block. */
function fenced(value: unknown): string {
  return `\`\`\`json\n${JSON.stringify(value)}\n\`\`\``;
}

const percent = (share: number) => `${(share * 100).toFixed(2)} %`;
const rounded = (value: number) => String(Number(value.toPrecision(4)));
