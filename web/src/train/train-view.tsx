import '../styles/train.css';
import { useEffect, useState } from 'preact/hooks';
import type { Job } from '../../../src/client/index.ts';
import { useAnswer } from '../api/use-answer.ts';
import { useApp, useStore } from '../app-context.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { useCurves } from './curves.ts';
import { usualDataset } from './dataset-choice.tsx';
import { JobList } from './job-list.tsx';
import { createComparison, createJobList, useJobs } from './jobs.ts';
import { Run } from './run.tsx';
import { TrainForm } from './train-form.tsx';

export function TrainView() {
  const { route } = useApp();
  const { put } = useStore(createJobList);
  const compared = useStore(createComparison).ids;
  const list = useJobs();
  const [first, second] = route.value.rest;
  const wanted = first === 'dataset' ? undefined : first;
  const [dataset, chooseDataset] = useState(usualDataset);
  useEffect(() => {
    if (first === 'dataset' && second !== undefined) chooseDataset(second); // `#train/dataset/letters`
  }, [first, second]);
  const listed = wanted ? list.jobs.find(({ id }) => id === wanted) : preferred(list.jobs);
  const others = list.jobs.filter(({ id }) => compared.value.includes(id) && id !== listed?.id);
  useCurves(listed ? [listed, ...others] : others);
  return (
    <div class="view train">
      <header class="view-head">
        <h1 tabIndex={-1}>Train</h1>
        <p>Start a training and watch it learn.</p>
      </header>
      <TrainForm
        {...{ dataset, chooseDataset }}
        started={(job) => {
          put(job);
          location.hash = `#train/${job.id}`;
          list.reload();
        }}
      />
      <div class="train-run">
        {list.isKnown && wanted && !listed && <Unlisted id={wanted} />}
        <Run isKnown={list.isKnown && !wanted} job={listed} others={others} reload={list.reload} />
      </div>
      <JobList {...list} open={listed} />
    </div>
  );
}

/** The running job, else the newest. */
function preferred(jobs: readonly Job[]): Job | undefined {
  return jobs.find(({ status }) => status === 'running') ?? jobs[0];
}

/** Loads the job that the address names when the list does not contain it. */
function Unlisted({ id }: { id: string }) {
  const { client, ask } = useApp().api;
  const { put } = useStore(createJobList);
  const { problem } = useAnswer(
    async (signal) => {
      const outcome = await ask(client.GET('/jobs/{id}', { params: { path: { id } }, signal }));
      if (outcome.ok) put(outcome.data);
      return outcome;
    },
    [id],
  );
  return <ProblemNote problem={problem} />;
}
