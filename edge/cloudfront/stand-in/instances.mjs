// The instances of the Lambda@Edge function. Each serves one request at a time
// (https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html); a new one starts when all are busy, up to a number, and
// whoever finds none free waits, where Lambda would start another.

import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { Failure } from './failure.mjs';

export class Instances {
    #idle = [];
    #waiting = [];
    #all = new Set();
    #started = 0;

    constructor(handler, most, timeoutMs) {
        this.handler = pathToFileURL(handler).href;
        this.most = most;
        this.timeoutMs = timeoutMs;
    }

    async invoke(event) {
        const instance = await this.#take();
        try {
            return await this.#run(instance, JSON.stringify(event));
        } finally {
            this.#giveBack(instance);
        }
    }

    async end() {
        await Promise.all([...this.#all].map(({ worker }) => worker.terminate()));
    }

    #take() {
        const idle = this.#idle.pop();
        if (idle) {
            return idle;
        }
        if (this.#all.size < this.most) {
            return this.#start();
        }
        return new Promise((resolve) => {
            this.#waiting.push(resolve);
        });
    }

    #start() {
        this.#started += 1;
        const worker = new Worker(new URL('instance.mjs', import.meta.url), {
            workerData: { handler: this.handler, number: String(this.#started) }, stdout: true, name: `instance ${this.#started}`,
        });
        // The stand-in's own output is one line for whoever waits for it.
        worker.stdout.pipe(process.stderr, { end: false });
        const instance = { worker, isGone: false, settle: () => {} };
        this.#all.add(instance);
        worker.on('message', (outcome) => instance.settle(outcome));
        worker.on('error', (error) => console.error('an instance died:', error));
        worker.on('exit', () => {
            this.#forget(instance);
            instance.settle({ failure: 'its instance ended' });
        });
        return instance;
    }

    #giveBack(instance) {
        const next = this.#waiting.shift();
        if (next) {
            next(instance.isGone ? this.#start() : instance);
        } else if (!instance.isGone) {
            this.#idle.push(instance);
        }
    }

    // https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/http-503-service-unavailable.html#http-503-lambda-execution-error
    async #run(instance, event) {
        let timer;
        const { result, failure } = await new Promise((resolve) => {
            instance.settle = resolve;
            timer = setTimeout(() => {
                this.#forget(instance);
                instance.worker.terminate();
                resolve({ failure: 'it ran out of time' });
            }, this.timeoutMs);
            instance.worker.postMessage(event);
        });
        clearTimeout(timer);
        if (failure !== undefined) {
            throw new Failure(503, 'The Lambda function associated with the CloudFront distribution is invalid or failed.');
        }
        return JSON.parse(result);
    }

    #forget(instance) {
        instance.isGone = true;
        this.#all.delete(instance);
        this.#idle = this.#idle.filter((known) => known !== instance);
    }
}
