import { openEngine } from '../src/model/engine.ts';
import { train } from '../src/model/train.ts';
import { mnist, smallPlan } from './model/mnist.ts';
await openEngine('auto');
for (const [epochs,seed] of [[1000,1],[1000,2],[300,1]] as const) {
  const c = new AbortController(); const acc:number[]=[];
  const o = await train({...smallPlan({trainImages:null, testImages:1000,batchSize:64,seed,epochs})} , mnist, {onProgress:()=>{}, onEpoch: async(m)=>{acc.push(m.testAccuracy); c.abort();}}, c.signal);
  console.log(epochs, seed, o.status, (o as any).message?.slice(60,150), acc);
}
