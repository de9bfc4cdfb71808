// imapflow, as its documentation has it: a worker like those of worker.py, which says how they talk.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createWriteStream } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pipeline } from "node:stream/promises";
import { join } from "node:path";

const { ImapFlow } = createRequire(join(process.env.NODE_PATH, "here"))("imapflow");

const MESSAGE_SIZE = 4096;
const byUid = { uid: true };

function memory(name) {
    return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync("/proc/self/status"))[1]);
}

// The same as small_message() of worker.py.
function smallMessage(i) {
    const head = `From: a@example.org\r\nSubject: message ${i}\r\n\r\n`;
    const lines = ("x".repeat(62) + "\r\n").repeat(Math.floor((MESSAGE_SIZE - head.length) / 64));
    const fill = "y".repeat(MESSAGE_SIZE - head.length - lines.length - 2);
    return Buffer.from(head + fill + "\r\n" + lines);
}

function scatteredUids(job) {
    return Array.from({ length: job.count }, (_, i) => 1 + ((i * 7919) % job.total));
}

async function logIn(job) {
    const client = new ImapFlow({
        host: job.host,
        port: job.port,
        secure: false,
        doSTARTTLS: false,
        auth: { user: job.user, pass: job.password },
        logger: false,
        disableAutoIdle: true,
        disableCompression: true, // on which the server would spend most of the time
    });
    client.on("error", () => {});
    await client.connect();
    return client;
}

const connected = {
    async flags(client, job) {
        const found = new Map();
        for await (const message of client.fetch(job.uids, { uid: true, flags: true }, byUid)) {
            found.set(message.uid, message.flags);
        }
        return () => {
            let sum = 0;
            let seen = 0;
            for (const [uid, flags] of found) {
                sum += uid;
                seen += flags.has("\\Seen");
            }
            return [found.size, sum, seen];
        };
    },
    async listed(client, job) {
        const query = {
            uid: true,
            flags: true,
            internalDate: true,
            size: true,
            envelope: true,
            bodyStructure: true,
        };
        const found = await client.fetchAll(job.uids, query, byUid);
        return () => [found.length, found.reduce((sum, message) => sum + message.size, 0)];
    },
    async bodies(client, job) {
        let n = 0;
        let size = 0;
        for await (const message of client.fetch(job.uids, { uid: true, source: true }, byUid)) {
            n += 1;
            size += message.source.length;
        }
        return [n, size];
    },
    async digest(client, job) {
        const total = createHash("sha1");
        let n = 0;
        for await (const message of client.fetch(job.uids, { uid: true, source: true }, byUid)) {
            total.update(message.source);
            n += 1;
        }
        return [n, total.digest("hex")];
    },
    async files(client, job) {
        let size = 0;
        for (let uid = 1; uid <= job.total; uid++) {
            const { meta, content } = await client.download(String(uid), undefined, byUid);
            const file = createWriteStream(join(job.folder, String(uid)));
            await pipeline(content, file);
            size += file.bytesWritten;
        }
        return size;
    },
    async search(client, job) {
        const uids = await client.search({ all: true }, byUid);
        return () => [uids.length, uids.reduce((sum, uid) => sum + uid, 0)];
    },
    async gathered(client, job) {
        const found = await Promise.all(
            scatteredUids(job).map((uid) =>
                client.fetchOne(String(uid), { uid: true, flags: true }, byUid)),
        );
        return new Set(found.map((message) => message.uid)).size;
    },
    async append(client, job) {
        for (let i = 0; i < job.count; i++) {
            await client.append("bench", smallMessage(i));
        }
        return null;
    },
};

async function session(job) {
    const client = await logIn(job);
    await client.mailboxOpen("INBOX");
    await client.logout();
    return null;
}

function tell(what) {
    process.stdout.write(JSON.stringify(what) + "\n");
}

async function work() {
    const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    const job = JSON.parse((await lines.next()).value);
    const alone = job.workload === "session";
    const client = alone ? null : await logIn(job);
    if (!alone && job.mailbox) {
        await client.mailboxOpen(job.mailbox);
    }
    tell({ ready: true });
    const base = memory("VmRSS");
    writeFileSync("/proc/self/clear_refs", "5");
    while (!(await lines.next()).done) {
        const began = process.hrtime.bigint();
        const check = alone ? await session(job) : await connected[job.workload](client, job);
        const seconds = Number(process.hrtime.bigint() - began) / 1e9;
        const growth_kb = memory("VmHWM") - base;
        tell({ seconds, growth_kb, check: typeof check === "function" ? check() : check });
    }
}

work().then(
    () => process.exit(0),
    (error) => {
        tell({ error: error.code ?? error.name, message: String(error.message) });
        process.exit(0);
    },
);
