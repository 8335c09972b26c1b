"""What an SSH library gets: one line each for output, errors, exit code, echoed input, and channels at once."""
import asyncio
import os
import sys
from concurrent.futures import ThreadPoolExecutor

PORT, KEY, HOSTS = int(os.environ["PORT"]), os.environ["KEY"], os.environ["HOSTS"]
INPUT = "input" * 1000
MANY = 100


def with_paramiko():
    import paramiko

    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    with open(HOSTS) as hosts:
        _, kind, blob = hosts.read().split()
    key = paramiko.Ed25519Key(data=__import__("base64").b64decode(blob))
    client.get_host_keys().add(f"[127.0.0.1]:{PORT}", kind, key)
    client.connect("127.0.0.1", PORT, "anybody", key_filename=KEY, allow_agent=False, look_for_keys=False)

    def run(command, text=""):
        stdin, stdout, stderr = client.exec_command(command)
        stdin.write(text)
        stdin.channel.shutdown_write()
        return stdout.read().decode(), stderr.read().decode(), stdout.channel.recv_exit_status()

    out, err, code = run("echo out; echo err >&2; exit 7")
    print(out, err, code, sep="")
    print(run("cat", INPUT)[0])
    with ThreadPoolExecutor(20) as pool:
        said = pool.map(lambda n: run(f"echo {n}")[0].strip() == str(n), range(MANY))
    print(sum(said))
    # What runs goes on under new keys, which paramiko also asks for by itself after 1 GiB.
    stdin, stdout, _ = client.exec_command("cat")
    for n in range(4):
        stdin.write(f"{n}" * 100_000)
        stdin.flush()
        client.get_transport().renegotiate_keys()
    stdin.channel.shutdown_write()
    assert stdout.read().decode() == "".join(f"{n}" * 100_000 for n in range(4))
    client.close()


async def with_asyncssh():
    import asyncssh

    with open(HOSTS) as hosts:
        _, kind, blob = hosts.read().split()
    known = asyncssh.import_known_hosts(f"[127.0.0.1]:{PORT} {kind} {blob}\n")
    options = {"username": "anybody", "client_keys": [KEY], "known_hosts": known, "config": None}
    async with asyncssh.connect("127.0.0.1", PORT, agent_path=None, **options) as client:
        done = await client.run("echo out; echo err >&2; exit 7")
        print(done.stdout, done.stderr, done.exit_status, sep="")
        print((await client.run("cat", input=INPUT)).stdout)
        said = await asyncio.gather(*(client.run(f"echo {n}") for n in range(MANY)))
        print(sum(done.stdout.strip() == str(n) for n, done in enumerate(said)))


if sys.argv[1] == "paramiko":
    with_paramiko()
else:
    asyncio.run(with_asyncssh())
