// One instance of the Lambda@Edge function, in a thread of its own: events come in and results go out as JSON, one at a time.

import { parentPort, workerData } from 'node:worker_threads';

const { handler } = await import(workerData.handler);

parentPort.on('message', async (event) => {
    try {
        const result = await handler(JSON.parse(event), { awsRequestId: workerData.number });
        parentPort.postMessage({ result: JSON.stringify(result ?? null) });
    } catch (error) {
        console.error('the function threw:', error);
        parentPort.postMessage({ failure: String(error) });
    }
});
