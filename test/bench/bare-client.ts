import mqtt from 'mqtt';

/** The least that can be online: `bare-client.js URL NAME` connects and stays. */
const [url = '', name = ''] = process.argv.slice(2);
mqtt.connect(url, { clientId: name, username: name, password: 'of no importance' });
