"""Runs Prometheus and node_exporter on loopback, lets them read what nsls writes,
and shows what they make of it.

Runs in pid, mount and net namespaces of its own, so that every port is free and
whatever it starts ends with it. Arguments: the directory contrib."""
import http.server, json, os, re, subprocess, sys, threading, time
import urllib.parse, urllib.request

contrib = sys.argv[1]
nsls = os.environ["NSLS"]
NODE, DIRECT, PROMETHEUS = "127.0.0.1:9100", "127.0.0.1:9200", "127.0.0.1:9090"


def run(*words, **more):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
    if done.returncode:
        sys.exit(f"{words}: {done.returncode} {done.stdout} {done.stderr}")
    return done.stdout


def start(name, *words):
    return subprocess.Popen(words, stdout=open(f"{name}.log", "w"), stderr=subprocess.STDOUT)


class Direct(http.server.BaseHTTPRequestHandler):
    """Gives the text to the parser of OpenMetrics."""

    def do_GET(self):
        body = open("textfile/nsls.prom", "rb").read()
        self.send_response(200)
        self.send_header("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def ask(path, **query):
    url = f"http://{PROMETHEUS}/api/v1/{path}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=5) as answer:
        answer = json.load(answer)
    assert answer["status"] == "success", answer
    return answer["data"]


def query(expression):
    return ask("query", query=expression)["result"]


def by(label, expression):
    return {one["metric"][label]: float(one["value"][1]) for one in query(expression)}


def until(what, test):
    end = time.monotonic() + 30
    while True:
        try:
            if test():
                return
        except OSError:
            pass
        if time.monotonic() > end:
            for log in "prometheus", "node":
                sys.stderr.write(open(f"{log}.log").read())
            sys.exit(f"never: {what}")
        time.sleep(0.2)


def look():
    run(nsls, "metrics", "--output", "textfile/nsls.prom")


def listed():
    rows = json.loads(run(nsls, "--json"))["namespaces"]
    counts = {}
    for row in rows:
        counts[row["type"]] = counts.get(row["type"], 0) + 1
    own = int(re.sub(r"\D", "", os.readlink("/proc/self/ns/pid")))
    return counts, [row["nprocs"] for row in rows if row["ns"] == own]


def scraped(job):
    counts = by("type", f'sum by (type) (nsls_namespaces{{job="{job}"}}) > 0')
    return counts, [float(one["value"][1]) for one in query(f'nsls_processes{{job="{job}"}}')]


run("ip", "link", "set", "lo", "up")
os.makedirs("textfile")
run("ip", "netns", "add", "blue")
sleeper = subprocess.Popen(["unshare", "-n", "sleep", "1000"])
until("sleep", lambda: open(f"/proc/{sleeper.pid}/comm").read() == "sleep\n")
leak = os.open(f"/proc/{sleeper.pid}/ns/net", os.O_RDONLY)
sleeper.kill()
sleeper.wait()

rules = open(f"{contrib}/prometheus/nsls.rules.yml").read()
open("nsls.rules.yml", "w").write(re.sub(r"\bfor: \w+", "for: 0s", rules))
open("prometheus.yml", "w").write(f"""
global: {{scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}}
rule_files: [nsls.rules.yml]
scrape_configs:
  - {{job_name: node, static_configs: [{{targets: ["{NODE}"]}}]}}
  - {{job_name: direct, static_configs: [{{targets: ["{DIRECT}"]}}]}}
""")
look()
print(run("promtool", "check", "metrics", stdin=open("textfile/nsls.prom")), end="")
http.server.ThreadingHTTPServer.daemon_threads = True
server = http.server.ThreadingHTTPServer(("127.0.0.1", 9200), Direct)
threading.Thread(target=server.serve_forever, daemon=True).start()
start("node", "prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile",
      "--collector.textfile.directory=textfile", f"--web.listen-address={NODE}")
start("prometheus", "prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data",
      f"--web.listen-address={PROMETHEUS}")
until("both scraped", lambda: by("job", "up") == {"node": 1, "direct": 1})
print("scraped by both parsers")

# Once both have started, the number of processes stays.
look()
for job in "node", "direct":
    until(f"{job} shows {listed()}, not {scraped(job)}", lambda: listed() == scraped(job))
print("namespaces and processes are those that nsls lists")
print("leaked", by("type", 'nsls_leaked_namespaces{job="node"} > 0'))
print("textfile errors", [one["value"][1] for one in query("node_textfile_scrape_error")])

firing = 'ALERTS{alertname="NslsLeakedNamespaces", alertstate="firing", job="node"}'
until("the alert fires", lambda: len(query(firing)) == 1)
print("firing", [one["metric"]["type"] for one in query(firing)])
os.close(leak)
look()
until("the alert resolves", lambda: not query(firing))
print("resolved")

dashboard = json.load(open(f"{contrib}/grafana/nsls.json"))
expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
for expression in expressions:
    query(expression.replace("$instance", ".*"))
text = open("textfile/nsls.prom").read()
written = set(re.findall(r"^(nsls_\w+)", text, re.MULTILINE))
stored = {name for name in ask("label/__name__/values") if name.startswith("nsls_")}
print("metrics not stored", sorted(written - stored), "dashboard", "ok" if expressions else "empty")
