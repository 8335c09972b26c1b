import { describe, expect, it } from 'vitest';
import { Allowance } from '../../../src/core/allowance.ts';
import { FairQueue } from '../../../src/core/fair-queue.ts';
import { Turns } from '../../../src/core/turns.ts';

describe('turns', () => {
  it('come one by one in the order of asking, with others in between', async () => {
    const turns = new Turns();
    const seen: string[] = [];
    const work = async (name: string) => {
      for (let i = 0; i < 2; i++) {
        await turns.next();
        seen.push(name);
      }
    };
    await Promise.all([work('a'), work('b')]);
    expect(seen).toEqual(['a', 'b', 'a', 'b']);
  });

  it('are spent after their time, and new ones in the next turn of the event loop', async () => {
    const turns = new Turns(5);
    expect(turns.spent).toBe(false);
    for (const end = performance.now() + 6; performance.now() < end; );
    expect(turns.spent).toBe(true);
    await turns.next();
    expect(turns.spent).toBe(false);
  });
});

describe('a fair queue', () => {
  it('gives one who asks for little its share, however much another has put in', () => {
    const queue = new FairQueue<string>();
    const [greedy, modest] = [{}, {}];
    for (let i = 0; i < 5; i++) queue.push(greedy, `greedy ${i}`, 100);
    expect(queue.shift()).toBe('greedy 0');
    queue.push(modest, 'modest', 1);
    expect(queue.shift()).toBe('modest');
    expect(queue.shift()).toBe('greedy 1');
    expect(queue.size).toBe(3);
  });

  it('keeps the order of each, serves equals in turn, and forgets no one', () => {
    const queue = new FairQueue<string>();
    const owners = [{}, {}];
    for (const [name, owner] of owners.entries())
      for (let i = 0; i < 2; i++) queue.push(owner, `${name}${i}`, 10);
    expect([queue.shift(), queue.shift(), queue.shift(), queue.shift(), queue.shift()]).toEqual([
      '00',
      '10',
      '01',
      '11',
      undefined,
    ]);
    queue.push({}, 'left', 1);
    expect(queue.clear()).toEqual(['left']);
    expect(queue.shift()).toBeUndefined();
  });
});

describe('an allowance', () => {
  it('has the largest holder give way, once, whoever asked for more', () => {
    const allowance = new Allowance(100);
    const gone: string[] = [];
    const open = (name: string) => allowance.open((error) => gone.push(`${name} ${error.code}`));
    const [small, large] = [open('small'), open('large')];
    large.set('requests', 50);
    large.set('answers', 40);
    small.set('requests', 20);
    expect(gone).toEqual(['large ERR_BUSY']);
    expect(allowance.held).toBe(20);
    large.set('requests', 1000);
    expect(allowance.held).toBe(20);
  });

  it('counts each place anew, and nothing of one that is closed', () => {
    const allowance = new Allowance(100);
    const holder = allowance.open(() => expect.unreachable());
    for (let i = 0; i < 10; i++) holder.set('requests', 90 - i);
    expect(allowance.held).toBe(81);
    holder.close();
    holder.close();
    expect(allowance.held).toBe(0);
  });
});
