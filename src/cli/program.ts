/** The commands and their options, and how the program ends: with 0; 1 if it did not work; 2 if it was called wrongly. */

import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { programVersion } from '../lib/program-version.ts';
import {
  type CommandContext,
  explain,
  type GlobalOptions,
  openContext,
  type Surroundings,
  writeLine,
} from './context.ts';
import { correct } from './correct.ts';
import { listCorrections, removeCorrections } from './corrections.ts';
import { addDataset, listDatasets, removeDataset, showDataset } from './datasets.ts';
import { exportFile } from './export.ts';
import { cancelJob, listJobs } from './jobs.ts';
import { listModels } from './models.ts';
import { predictFiles } from './predict.ts';
import { dropAlias, rollBack, setAlias, setTraffic, showHistory, showRegistry } from './registry.ts';
import { train } from './train.ts';
import { watch } from './watch.ts';

/** Resolves with the exit code when all is written. */
export async function runProgram(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  let exitCode = 0;
  const run: Run =
    (action) =>
    async (...args) => {
      const command = args.at(-1) as Command; // as commander calls an action
      const context = openContext(command.optsWithGlobals<GlobalOptions>(), surroundings);
      exitCode = await action(context, ...args);
    };
  try {
    await buildProgram(run, surroundings).parseAsync(argv);
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // help was asked for, or it has been said what is wrong
    writeLine(surroundings.stderr, explain(error));
    return 1;
  }
}

/** Makes of what a command does what commander calls, last of all with the command itself. */
type Run = <Args extends unknown[]>(
  action: (context: CommandContext, ...args: Args) => Promise<number>,
) => (...args: Args) => Promise<void>;

function buildProgram(run: Run, { stdout, stderr }: Surroundings): Command {
  const program = new Command('trainyard')
    .description('Trains networks to read pictures and asks them, over the API of a Trainyard server.')
    .version(programVersion)
    .addOption(urlOption())
    .option('--json', 'one JSON value; of watched jobs, one event a line')
    .addHelpText('after', environmentHelp)
    .showHelpAfterError('("trainyard --help" lists the commands, "trainyard COMMAND --help" their options)')
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
    })
    .exitOverride();
  addTrain(program, run);
  program
    .command('watch <id>')
    .description('show a job until it has ended')
    .action(run((context, id: string) => watch(context, id)));
  program
    .command('jobs')
    .description('list jobs, newest first')
    .option('--status <status>', 'only queued, running, succeeded, failed or cancelled ones')
    .option('--limit <n>', 'at most so many, up to 100', readNumber)
    .action(run(listJobs));
  program
    .command('cancel <id>')
    .description('cancel a job')
    .action(run((context, id: string) => cancelJob(context, id)));
  program
    .command('predict <file...>')
    .description('read each picture (PNG, JPEG, WebP, AVIF, GIF or TIFF); - is the standard input')
    .option('--model <name>', 'the model that is to answer')
    .option('--alias <name>', 'use the version that this alias points to')
    .option('--pin <version>', 'use this version', readNumber)
    .option('--line', 'read all characters, from left to right')
    .action(run(predictFiles));
  program
    .command('correct <file> <label>')
    .description('say what a picture shows, for trainings to learn from: a label, or "none" of them')
    .option('--model <name>', 'the model that learns from it')
    .action(run(correct));
  addCorrections(program, run);
  addModels(program, run);
  addRegistry(program, run);
  addDatasets(program, run);
  return program;
}

function addModels(program: Command, run: Run): void {
  program
    .command('models')
    .description('list model versions, newest first')
    .option('--limit <n>', 'at most so many, up to 100', readNumber)
    .action(run(listModels));
  program
    .command('export')
    .description('write a version to a file for another program')
    .argument('<version>', 'its number', readNumber)
    .addOption(
      new Option('--format <format>', 'onnx, safetensors (PyTorch), tfjs (a zip), or card (Markdown)')
        .choices(['onnx', 'safetensors', 'tfjs', 'card'])
        .makeOptionMandatory(),
    )
    .option('--output <file>', 'where to write it; MODEL-VERSION here unless given')
    .action(run(exportFile));
}

function addCorrections(program: Command, run: Run): void {
  const corrections = program.command('corrections').description('what people have said that pictures show');
  corrections
    .command('list', { isDefault: true })
    .description('list corrections, newest first')
    .option('--model <name>', 'only those of this model')
    .option('--limit <n>', 'at most so many, up to 100', readNumber)
    .action(run(listCorrections));
  corrections
    .command('remove <id...>')
    .description('remove corrections; jobs that are queued already still learn from them')
    .action(run((context, ids: string[]) => removeCorrections(context, ids)));
}

function addRegistry(program: Command, run: Run): void {
  const registry = program.command('registry').description('which version answers, who decided so and why');
  const why = ['--reason <text>', 'kept in the history'] as const;
  registry
    .command('show [model]', { isDefault: true })
    .description('list the aliases of all models, or of one')
    .action(run((context, model?: string) => showRegistry(context, model)));
  registry
    .command('history <model>')
    .description('list decisions, newest first')
    .option('--limit <n>', 'at most so many, up to 1000', readNumber)
    .action(run(showHistory));
  registry
    .command('promote')
    .description('make a version champion')
    .argument('<model>')
    .argument('<version>', 'its number', readNumber)
    .option(...why)
    .action(
      run((context, model: string, version: number, options: object) =>
        setAlias(context, model, 'champion', version, options),
      ),
    );
  registry
    .command('alias')
    .description('point an alias to a version')
    .argument('<model>')
    .argument('<alias>')
    .argument('<version>', 'its number', readNumber)
    .option(...why)
    .action(run(setAlias));
  registry
    .command('remove <model> <alias>')
    .description('remove an alias')
    .action(run((context, model: string, alias: string) => dropAlias(context, model, alias)));
  registry
    .command('rollback <model>')
    .description('make the champion before this one champion again')
    .option(...why)
    .action(run(rollBack));
  registry
    .command('traffic')
    .description('share requests among aliases')
    .argument('<model>')
    .argument('<share...>', 'per cent by alias, such as champion=90 challenger=10', readShare)
    .action(
      run((context, model: string, shares: Record<string, number>) => setTraffic(context, model, shares)),
    );
}

function addDatasets(program: Command, run: Run): void {
  const datasets = program.command('datasets').description('what networks learn from');
  datasets.command('list', { isDefault: true }).description('list data sets').action(run(listDatasets));
  datasets
    .command('add <file>')
    .description('import a zip, tar or tar.gz of pictures in folders named after their labels')
    .option('--name <name>', "of the data set; the file's unless given")
    .option('--form <form>', 'what the pictures are: ink, picture, or auto to have the server look')
    .option('--test-share <share>', 'of each label, where the archive has no division of its own', readNumber)
    .option('--seed <n>', 'source of that division', readNumber)
    .option('--watch', 'show the import until it has ended')
    .action(run(addDataset));
  datasets
    .command('show <name>')
    .description('show a data set, and the report on its import')
    .action(run((context, name: string) => showDataset(context, name)));
  datasets
    .command('remove <name>')
    .description('delete a data set, or cancel its import')
    .action(run((context, name: string) => removeDataset(context, name)));
}

/** Each option that is not the recipe's own replaces one value of it; the server says what it can't be. */
function addTrain(program: Command, run: Run): void {
  program
    .command('train')
    .description('queue a training job')
    .option('--model <name>', "the line of versions to publish to; the data set's name unless given")
    .option('--promote <when>', 'whether its versions may answer: unless-worse, always or never')
    .option('--recipe <name>', 'named set of the values below; chosen for the data set unless given')
    .option('--dataset <name>', 'what it learns from; "mnist" unless given')
    .option('--network <name>', 'article, small, wide or wide-normalised')
    .option('--epochs <n>', 'at most so many, after each of which it is tested', readNumber)
    .option('--passes <n>', 'how often an epoch goes through the images', readNumber)
    .option('--patience <n>', 'end after so many epochs without a gain', readNumber)
    .option('--balance', 'show images of rare labels more often')
    .option('--no-balance', 'show all images as often')
    .option('--batch-size <n>', 'images a step', readNumber)
    .option('--learning-rate <rate>', 'peak rate of Adam', readNumber)
    .option('--schedule <name>', 'course of the learning rate: constant or oneCycle')
    .option('--warmup <share>', 'share of all steps that rise to the peak', readNumber)
    .option('--label-smoothing <share>', 'from 0 to 0.5', readNumber)
    .option(
      '--other-hands <share>',
      'of the images of 1, 2, 4, 7 and 9, drawn as other writers write them',
      readNumber,
    )
    .option(
      '--outliers <share>',
      'made pictures of no digit in each batch, as a share of its size',
      readNumber,
    )
    .option('--calibration-images <n>', 'training images held back to calibrate on', readNumber)
    .option('--shuffle', 'an order of its own for each epoch')
    .option('--no-shuffle', 'always the same order')
    .option('--augment', 'turn, scale, slant and shift each image a little')
    .option('--no-augment', 'images as they are')
    .option('--train-images <n>', 'only the first so many', readNumber)
    .option('--test-images <n>', 'only the first so many', readNumber)
    .option('--corrections', "also learn from the model's corrections")
    .option('--seed <n>', 'source of everything random', readNumber)
    .option('--dry-run', 'only say what the job would do, and how long that would take')
    .option('--watch', 'show the job until it has ended')
    .action(run(train));
}

function urlOption(): Option {
  return new Option('--url <url>', 'where the server is')
    .env('TRAINYARD_URL')
    .default('http://127.0.0.1:3000')
    .argParser((text) => {
      if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
      throw new InvalidArgumentError('Expected one such as http://127.0.0.1:3000.');
    });
}

const environmentHelp = `
Environment:
  TRAINYARD_URL   as --url
  TRAINYARD_KEY   a key of the server; unset, the first of API_KEY`;

function readNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new InvalidArgumentError('Expected a number.');
  return value;
}

/** Adds `champion=90` to the shares before it. */
function readShare(text: string, before?: Record<string, number>): Record<string, number> {
  const [, alias = '', percentage = ''] = /^([^=]+)=([^=]+)$/.exec(text) ?? [];
  const share = percentage.trim() === '' ? Number.NaN : Number(percentage);
  if (!Number.isFinite(share))
    throw new InvalidArgumentError(`expected ALIAS=PERCENT, such as champion=90, got ${text}`);
  return { ...before, [alias]: share };
}
