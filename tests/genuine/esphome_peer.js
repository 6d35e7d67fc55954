// A board with ESPHome's OTA service, whose encryption is noise-c's: the library of the devices, as WebAssembly.
//   node esphome_peer.js PACKAGE ADDRESS IMAGE [KEY]
// PACKAGE is the folder of the library; without KEY (base64), the board offers no encryption. Prints "ready PORT", serves
// one connection, and prints what happens. An update that is right is in IMAGE before the host hears of it.
"use strict";

const crypto = require("crypto");
const fs = require("fs");
const net = require("net");

const [PACKAGE, ADDRESS, IMAGE, KEY] = process.argv.slice(2);

const MAGIC = Buffer.from("6c26f75c45", "hex");
const GREETING = Buffer.from([0x00, 2]); // OK, version of the protocol
const WANTS_EXTENDED = 4;
const WANTS_NOISE = 8;
const FLAG_NOISE = 4;
const SAYS = { auth: 0x41, prepared: 0x42, accepted: 0x43, received: 0x44, installed: 0x45, chunk: 0x47, extended: 0x48 };
const TYPE_APP = 0;
const CHUNK = 8192;
const FRAME = 1;
const FRAME_DATA_MAX = 1024;

function check(isRight, what) {
    if (!isRight) {
        throw new Error(what);
    }
}

/** The bytes of a connection, in the clear. */
class Connection {
    constructor(socket) {
        this.socket = socket;
        this.chunks = socket[Symbol.asyncIterator]();
        this.rest = Buffer.alloc(0);
    }

    async take(length) {
        while (this.rest.length < length) {
            const { value, done } = await this.chunks.next();
            check(!done, "the host closed the connection");
            this.rest = Buffer.concat([this.rest, value]);
        }
        const bytes = this.rest.subarray(0, length);
        this.rest = this.rest.subarray(length);
        return bytes;
    }

    async takeFrame() {
        const header = await this.take(3);
        check(header[0] === FRAME, `a frame begins with ${header[0]}`);
        return this.take(header.readUInt16BE(1));
    }

    send(bytes) {
        this.socket.write(bytes);
    }

    sendFrame(payload) {
        const header = Buffer.from([FRAME, 0, 0]);
        header.writeUInt16BE(payload.length, 1);
        this.send(Buffer.concat([header, payload]));
    }
}

/** The handshake; returns the ciphers for both directions. The prologue is what went over the wire in the clear. */
async function shakeHands(noise, connection, clear) {
    const state = noise.HandshakeState("Noise_NNpsk0_25519_ChaChaPoly_SHA256", noise.constants.NOISE_ROLE_RESPONDER);
    state.Initialize(Buffer.concat([Buffer.from("NoiseOTAInit"), ...clear]), null, null, Buffer.from(KEY, "base64"));

    const message = await connection.takeFrame();
    check(message[0] === 0, `the handshake begins with ${message[0]}`);
    try {
        state.ReadMessage(message.subarray(1));
    } catch (error) {
        check(error.message === "NOISE_ERROR_MAC_FAILURE", error.message);
        connection.sendFrame(Buffer.from("\x01Handshake MAC failure"));
        throw error;
    }
    connection.sendFrame(Buffer.concat([Buffer.of(0), state.WriteMessage()]));

    const [sending, receiving] = state.Split();
    console.log("encrypted");
    return { sending, receiving };
}

/** An update, from the reply about authentication on: each unit in a frame of its own. */
async function update(connection, { sending, receiving }) {
    const nothing = new Uint8Array(0);
    const say = (byte) => connection.sendFrame(sending.EncryptWithAd(nothing, Buffer.of(byte)));
    const take = async () => Buffer.from(receiving.DecryptWithAd(nothing, await connection.takeFrame()));
    const takeUnit = async (length) => {
        const unit = await take();
        check(unit.length === length, `a unit of ${unit.length} bytes, not ${length}`);
        return unit;
    };

    say(SAYS.auth);
    check((await takeUnit(1))[0] === TYPE_APP, "not an update of the app");
    const size = (await takeUnit(4)).readUInt32BE();
    say(SAYS.prepared);
    const md5 = (await takeUnit(32)).toString();
    say(SAYS.accepted);

    const image = [];
    for (let count = 0, told = 0; count < size;) {
        const data = await take();
        check(data.length > 0 && data.length <= FRAME_DATA_MAX, `a frame with ${data.length} bytes of the image`);
        image.push(data);
        count += data.length;
        const due = count < size ? Math.floor(count / CHUNK) : Math.ceil(size / CHUNK);
        for (; told < due; told++) {
            say(SAYS.chunk);
        }
    }
    say(SAYS.received);

    const content = Buffer.concat(image);
    check(content.length === size, "more than the image");
    check(crypto.createHash("md5").update(content).digest("hex") === md5, "the image has another MD5");
    fs.writeFileSync(IMAGE, content);
    say(SAYS.installed);
    check((await takeUnit(1))[0] === 0, "the host did not acknowledge the end");
    console.log("acknowledged");
}

async function serve(noise, connection) {
    check((await connection.take(MAGIC.length)).equals(MAGIC), "not the magic bytes");
    connection.send(GREETING);
    const features = await connection.take(1);
    check(features[0] & WANTS_EXTENDED, "the host does not know the extended protocol");
    if (!KEY) {
        connection.send(Buffer.of(SAYS.extended, 0, SAYS.auth));
        check(false, `in the clear came ${(await connection.take(1)).toString("hex")}`);
    }

    check(features[0] & WANTS_NOISE, "the host does not ask for encryption");
    const reply = Buffer.of(SAYS.extended, FLAG_NOISE);
    connection.send(reply);
    await update(connection, await shakeHands(noise, connection, [MAGIC, GREETING, features, reply]));
}

require(PACKAGE)((noise) => {
    const server = net.createServer({ noDelay: true }, (socket) => {
        server.close();
        serve(noise, new Connection(socket))
            .catch((error) => console.log(`failed: ${error.message}`))
            .finally(() => socket.destroySoon());
    });
    server.listen(0, ADDRESS, () => console.log(`ready ${server.address().port}`));
});
