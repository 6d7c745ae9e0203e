"""Chromium without a window, driven through a pipe, for tests/graph_browser.rs.

    browser.py page PAGE [AXE]       reports what a page of `nsls graph` is and does
    browser.py mermaid LIBRARY FILE  reports what Mermaid draws of a flowchart

AXE and LIBRARY are scripts of axe-core and mermaid. A report is a JSON document on standard
output. Nothing here knows what is expected.
"""

import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import time

FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars
    --disable-background-networking --disable-component-update --disable-sync --disable-extensions
    --disable-dev-shm-usage --force-color-profile=srgb --remote-debugging-pipe""".split()

# The longest that one answer may take, in seconds.
PATIENCE = 120


class Browser:
    """One browser with one page. Collects what is said on its console, and what it requests."""

    def __init__(self):
        self.home = tempfile.mkdtemp(prefix="nsls-chromium-")
        commands, self.to = os.pipe()
        self.answers, answers = os.pipe()

        def pipes():
            # Where Chromium expects them. Neither may be overwritten before it is moved.
            high = [os.dup(end) for end in (commands, answers)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        self.process = subprocess.Popen(
            ["chromium", *FLAGS, f"--user-data-dir={self.home}", "about:blank"],
            preexec_fn=pipes, close_fds=False, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": self.home}, start_new_session=True)
        os.close(commands)
        os.close(answers)
        self.rest, self.events, self.number, self.session = b"", [], 0, None
        self.told, self.requests = [], []
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=page, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for _ in range(50):
            shutil.rmtree(self.home, ignore_errors=True)
            if not os.path.exists(self.home):
                return
            time.sleep(0.1)

    def read(self):
        """Returns the next message."""
        while b"\0" not in self.rest:
            if not select.select([self.answers], [], [], PATIENCE)[0]:
                raise TimeoutError("the browser does not answer")
            part = os.read(self.answers, 1 << 20)
            if not part:
                raise EOFError("the browser ended")
            self.rest += part
        message, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(message)
        method, about = message.get("method"), message.get("params")
        if method == "Runtime.consoleAPICalled":
            self.told.append([about["type"], *(str(one.get("value")) for one in about["args"])])
        elif method == "Runtime.exceptionThrown":
            self.told.append(["exception", about["exceptionDetails"]["text"]])
        elif method == "Log.entryAdded":
            self.told.append([about["entry"]["level"], about["entry"]["text"]])
        elif method == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])
        return message

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, url):
        self.events.clear()
        self.call("Page.navigate", url=url)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.read())

    def run(self, script):
        """Returns the value of an expression, or what it promises."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"])[:2000])
        return result["result"].get("value")

    def look(self, width, scheme):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900,
                  deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])

    def press(self, key):
        code = {"Tab": 9}[key]
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                      windowsVirtualKeyCode=code)

    def point(self, selector, click=False):
        """Moves the pointer to the middle of an element, and clicks."""
        x, y = self.run(f"""(() => {{
            const one = document.querySelector({json.dumps(selector)});
            one.scrollIntoView({{block: "center", inline: "center", behavior: "instant"}});
            const box = one.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }})()""")
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        for kind in ("mousePressed", "mouseReleased") if click else ():
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)


# The rows of the matrix: the name of each, and of each cell the numbers of namespaces in it, its
# text if there are none. Those that stand for many have no number where these differ.
MATRIX = """[...document.querySelectorAll("table.matrix tbody tr:not(.section)")].map(row => ({
    name: [...row.querySelector("th").childNodes].filter(one => one.nodeType == 3)
        .map(one => one.data).join(""),
    is_fold: row.querySelector("input") != null,
    cells: [...row.querySelectorAll("td")].map(cell => {
        const all = [...cell.querySelectorAll("[data-ns]")].map(one => +one.dataset.ns);
        return all.length > 0 ? all : cell.textContent;
    }),
}))"""

# How often each element stands in the page, and each attribute that could run or load anything.
ELEMENTS = """(() => {
    const counts = {};
    for (const one of document.querySelectorAll("*")) {
        counts[one.localName] = (counts[one.localName] ?? 0) + 1;
        for (const {name, value} of one.attributes)
            if (/^on|^(src|srcset|action|formaction|data|poster|background|ping)$/.test(name)
                || /href$/.test(name) && !value.startsWith("#"))
                counts[`${one.localName} ${name}`] = (counts[`${one.localName} ${name}`] ?? 0) + 1;
    }
    return counts;
})()"""

# What can be operated and seen.
INTERACTIVE = """[...document.querySelectorAll("a, button, input, summary, select, [tabindex]")]
    .filter(one => one.checkVisibility())"""

UNFOLD = """document.querySelectorAll("details").forEach(one => one.open = true);
    document.querySelectorAll("input[type=checkbox]").forEach(one => one.checked = true);"""


def describe(selector):
    """Returns an expression for a short description of an element."""
    return f"({selector})?.outerHTML.slice(0, 160)"


def tab(browser):
    """Presses Tab until the focus is where it was; returns what it did not reach."""
    browser.run(f"globalThis.all = {INTERACTIVE}; document.activeElement?.blur(); 0")
    count, seen = browser.run("all.length"), set()
    for _ in range(count + 5):
        browser.press("Tab")
        seen.add(browser.run("all.indexOf(document.activeElement)"))
    missed = set(range(count)) - seen
    return [browser.run(describe(f"all[{place}]")) for place in sorted(missed)]


def lit(browser, selector):
    """Points at a namespace; returns what lights up elsewhere, and what should but does not."""
    browser.point(selector)
    return browser.run(f"""(() => {{
        const one = document.querySelector({json.dumps(selector)});
        const mark = [...one.classList].find(name => /^n\\d+$/.test(name));
        const is_lit = one => getComputedStyle(one).getPropertyValue("--wide").trim() == "3";
        const all = [...document.querySelectorAll(".ns")];
        return {{same: all.filter(one => one.classList.contains(mark)).length,
            dark: all.filter(one => one.classList.contains(mark) && !is_lit(one)).length,
            wrong: all.filter(one => !one.classList.contains(mark) && is_lit(one)).length}};
    }})()""")


def page(path, axe=None):
    url = pathlib.Path(path).resolve().as_uri()
    report = {}
    with Browser() as browser:
        started = time.monotonic()
        browser.look(1280, "light")
        browser.open(url)
        browser.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        print(f"opened after {time.monotonic() - started:.2f} s", file=sys.stderr)
        report["matrix"] = browser.run(MATRIX)
        report["elements"] = browser.run(ELEMENTS)
        report["text"] = browser.run("document.body.textContent")
        folds = browser.run("document.querySelectorAll('.fold').length")
        whole = browser.run("document.documentElement.outerHTML")
        report["unreachable"] = tab(browser) if axe else []
        report["overflow"], report["violations"] = {}, {}
        for width in (1280, 400):
            for scheme in ("light", "dark"):
                browser.look(width, scheme)
                browser.open(url)
                name = f"{width} {scheme}"
                report["overflow"][name] = browser.run(
                    "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth")
                if not axe:
                    continue
                browser.run(UNFOLD)
                browser.run(pathlib.Path(axe).read_text() + ";0")
                report["violations"][name] = browser.run("""axe.run(document).then(result =>
                    result.violations.flatMap(rule => rule.nodes.map(node =>
                        `${rule.id}: ${node.target.join(" ")}`)).slice(0, 20))""")
        # All of it works without scripts.
        browser.call("Emulation.setScriptExecutionDisabled", value=True)
        browser.look(1280, "light")
        browser.open(url)
        report["same_without_scripts"] = whole == browser.run("document.documentElement.outerHTML")
        report["lit"] = lit(browser, "table.matrix .ns[data-ns]")
        hidden = """[...document.querySelectorAll(".fold .more")]
            .filter(one => !one.checkVisibility()).length"""
        report["hidden"] = [browser.run(hidden)]
        if folds:
            browser.point(".fold label", click=True)
            report["hidden"].append(browser.run(hidden))
        browser.point("summary", click=True)
        report["opened"] = browser.run("document.querySelector('details').open")
        report["console"] = browser.told
        report["requests"] = sorted(set(browser.requests) - {url})
    return report


def mermaid(library, path):
    with Browser() as browser:
        browser.open("about:blank")
        browser.run(pathlib.Path(library).read_text() + ";0")
        browser.told.clear()
        text = json.dumps(pathlib.Path(path).read_text())
        return browser.run(f"""(async () => {{
            const text = {text};
            mermaid.initialize({{startOnLoad: false, securityLevel: "loose"}});
            const parsed = await mermaid.parse(text);
            const {{svg}} = await mermaid.render("drawn", text);
            document.body.innerHTML = svg;
            const texts = selector => [...document.querySelectorAll(selector)]
                .map(one => one.textContent);
            const elements = new Set([...document.querySelectorAll("svg *")]
                .map(one => one.localName));
            return {{type: parsed.diagramType, nodes: texts(".nodeLabel, .node .label text"),
                groups: texts(".cluster-label"), edges: texts(".edgeLabel .label"),
                elements: [...elements].sort(),
                handlers: [...document.querySelectorAll("*")].flatMap(one => [...one.attributes])
                    .filter(one => /^on/.test(one.name)).length}};
        }})()""")


if __name__ == "__main__":
    what = {"page": page, "mermaid": mermaid}[sys.argv[1]]
    json.dump(what(*sys.argv[2:]), sys.stdout)
