"""Checks the status page of a real verypolld in headless Chromium.

    page_checks.py DIRECTORY

DIRECTORY has the programs verypolld and verypollctl. Prints each check, and fails if one fails.
"""
import pathlib
import sys

from browser import Browser
from page_lab import Lab, Servers

SCRIPT = pathlib.Path(__file__).with_name("page_script.js").read_text()
HOSTILE = [
    "unix:@<script>window.hacked=1</script>", "unix:@\"><img src=x onerror=window.hacked=2>",
    "unix:@</noscript></table><script>window.hacked=3</script>", "unix:@&lt;b&gt;'{{title}}",
    "unix:@javascript:window.hacked=4//${window.hacked=5}",
]
failures = []


def check(claim, value, expected=True):
    """Prints a claim, and notes if it does not hold."""
    holds = value == expected
    print(("ok   " if holds else "FAIL ") + claim + ("" if holds else f": {value}"), flush=True)
    if not holds:
        failures.append(claim)


def opened(browser, url, **options):
    """Opens the page, and waits until it shows a status."""
    page = browser.page(url, before=SCRIPT, **options)
    page.wait("document.getElementById('link-text').textContent === 'Live'")
    return page


def await_updates(page, count):
    """Waits for further answers."""
    page.wait(f"checks.updates() >= {page.run('checks.updates()') + count}")


def check_outage(browser, lab):
    """200 servers, while the page updates and some of the servers fail."""
    page = opened(browser, lab.url)
    rows = "document.querySelectorAll('#servers tbody tr.item').length"
    check("the page has a row for each of 200 servers", page.run(rows), 200)
    await_updates(page, 2)
    page.run("checks.watch()")
    await_updates(page, 2)
    lab.break_down()
    page.wait("document.querySelectorAll('#servers tbody tr.item.bad').length === 4")
    page.wait("document.getElementById('attention').textContent.includes('reload refused')")
    page.wait("document.getElementById('events').textContent.includes('reload refused')")
    await_updates(page, 3)
    check("nothing moves while the page updates and servers fail",
          [page.run("checks.shifts"), page.run("checks.shifted")], [0, []])
    first = "document.querySelector('#attention li').className"
    check("the worst problem is first", page.run(first), "bad")
    said = page.run("document.getElementById('attention-news').textContent")
    check("a screen reader hears the problems", "last reload refused" in said)
    check("the title counts the problems", page.run("document.title.startsWith('(')"))
    moving = ("document.querySelector('#tile-out path:not(.area)').getAttribute('d')"
              ".split('L').length > 3")
    check("the charts have lines", page.run(moving))
    check_filter(page)
    check_looks(page)
    own = all(url.startswith(lab.url) for url in page.requests())
    check("all requests go to the daemon", own)
    paths = sorted({url.removeprefix(lab.url) for url in page.requests()})
    check("the page requests itself and its data only", paths, ["", "status.json"])
    check("the page sets no cookie", page.run("document.cookie"), "")
    check("the console is clean", page.complaints(), [])
    return page


def check_filter(page):
    """The filter, the sorting and the keyboard."""
    names = ("[...document.querySelectorAll('#servers tbody tr.item .name')]"
             ".map((name) => name.textContent)")

    def choose(element, value):
        page.run(f"{element}.value = {value!r}, {element}.dispatchEvent(new Event('input'))")

    choose("document.getElementById('filter')", "mail 127.0.12.4")
    check("the filter finds a server by its upstream and address", len(page.run(names)), 1)
    shown = page.run("document.getElementById('shown').textContent")
    check("the page says how many servers it shows", shown, "1 of 200 servers")
    choose("document.getElementById('filter')", "")
    box = "document.getElementById('troubled')"
    page.run(f"{box}.click()")
    check("only the servers with problems can be shown", len(page.run(names)), 5)
    page.run(f"{box}.click()")
    choose("document.getElementById('sort')", "active")
    order = page.run("[...document.querySelectorAll('#servers tbody tr')].map((row) =>"
                     " [row.className.startsWith('group'),"
                     "  Number(row.cells[4].textContent.replace(/\\D/g, ''))])")
    sums = [value for is_group, value in order if is_group]
    check("the upstreams can be sorted by sessions", sums, sorted(sums, reverse=True))
    choose("document.getElementById('sort')", "trouble")
    for key in ("rawKeyDown", "keyUp"):
        page.call("Input.dispatchKeyEvent", type=key, key="Tab", code="Tab",
                  windowsVirtualKeyCode=9)
    focus = ("document.activeElement.id + ' ' +"
             " getComputedStyle(document.activeElement).outlineStyle")
    check("the keyboard focus is visible", page.run(focus), "attention solid")


def check_looks(page):
    """Sizes, colors and roles."""
    for dark in (False, True):
        page.color(dark)
        for width in (1600, 1100, 768, 400, 320):
            page.resize(width, 900)
            name = f"{width} px, {'dark' if dark else 'light'}"
            check(f"no horizontal scrolling at {name}", page.run("checks.overflowing()"), [])
            contrasts = page.run("checks.contrasts()")
            check(f"each text has a contrast of at least 4.5 at {name} "
                  f"(lowest {contrasts['lowest']})", contrasts["poor"], [])
            check(f"roles, names and labels at {name}", page.run("checks.violations()"), [])
    page.resize(1600, 1000)
    page.color(False)


def check_hidden(browser, page):
    """A page in a hidden tab."""
    other = browser.page("about:blank")
    browser.call("Target.activateTarget", targetId=other.target)
    page.wait("document.hidden")
    before = page.run("checks.updates()")
    other.pause(2.5)
    check("a hidden page asks for nothing", page.run("checks.updates()") - before <= 1)
    browser.call("Target.activateTarget", targetId=page.target)
    await_updates(page, 2)
    check("a page that is shown again continues", page.run("!document.hidden"))
    other.close()


def check_connection(lab, page):
    """The daemon stops, and starts again."""
    lab.stop()
    page.wait("document.getElementById('link').className === 'bad'")
    text = page.run("document.getElementById('link-text').textContent")
    check("the page says that the connection is lost", text.startswith("Connection lost, retrying"))
    lab.start()
    page.wait("document.getElementById('link-text').textContent === 'Live'")
    check("the page continues after a restart", page.run("checks.overflowing()"), [])


def check_snapshot(browser, lab):
    """A browser without scripts."""
    page = browser.page(lab.url, scripts=False, width=400)
    text = page.run("document.body.innerText")
    servers = [server for group in lab.upstreams.values() for server in group]
    check("without scripts, all servers are readable", all(name in text for name in servers))
    check("without scripts, the reason of a failure is readable", "refused" in text)
    check("without scripts, there is a pointer to verypollctl", "verypollctl status" in text)
    check("without scripts, the console is clean", page.complaints(), [])
    page.close()


def check_controls(page):
    """The checks themselves: they notice a page that breaks the rules."""
    page.run("checks.watch()")
    page.run("document.querySelector('header').setAttribute('style', 'padding-bottom: 300px')")
    page.run("document.querySelector('header').style.paddingBottom = '300px'")
    page.run("document.querySelector('h1').style.color = '#ccc'")
    page.wait("checks.shifts > 0")
    check("a broken policy is noticed", len(page.complaints()), 1)
    check("a low contrast is noticed", len(page.run("checks.contrasts()")["poor"]), 1)
    page.run("document.querySelector('#listeners th').scope = ''")
    check("a missing role is noticed", page.run("checks.violations()"), ["th without scope"])


def check_hostile(browser, programs):
    """Names that contain markup."""
    # In a configuration, "${" begins the name of a variable, and "$${" stands for "${".
    escaped = [name.replace("${", "$${") for name in HOSTILE]
    with Lab(programs, upstreams={"web": escaped}) as lab:
        for scripts in (True, False):
            name = "with scripts" if scripts else "without scripts"
            if scripts:
                page = opened(browser, lab.url)
                page.wait("document.querySelectorAll('#servers tbody tr.item').length === 5")
                await_updates(page, 2)
            else:
                page = browser.page(lab.url, scripts=False)
            text = page.run("document.body.innerText")
            check(f"hostile names are shown as they are, {name}",
                  [name for name in HOSTILE if name not in text], [])
            check(f"hostile names run nothing, {name}", page.run("typeof window.hacked"),
                  "undefined")
            count = page.run("document.querySelectorAll('img, iframe, b').length +"
                             " document.querySelectorAll('script').length")
            check(f"hostile names add no element, {name}", count, 1)
            check(f"hostile names violate no policy, {name}", page.complaints(), [])
            if scripts:
                check_controls(page)
            page.close()


def check_discovery(browser, programs):
    """An upstream whose service no name server knows (RFC 6761, section 6.4)."""
    name = "_web._tcp.verypoll.invalid"
    with Lab(programs, upstreams={"web": [{"srv": name}]}) as lab:
        page = opened(browser, lab.url)
        attention = "document.getElementById('attention').textContent"
        page.wait(f"{attention}.includes('web {name}not found: ')")
        check("the page says that a service is not found, and that it has no servers",
              page.run(f"{attention}.includes('; it has no servers yet')"))
        check("the page says that no server is available",
              page.run(f"{attention}.includes('web: no server is available')"))
        rows = "[...document.querySelectorAll('#servers tbody tr')].map((row) => row.className)"
        check("an upstream without servers has a row", page.run(rows), ["group bad"])
        check("the row says that it has none",
              page.run("document.querySelector('#servers tbody .word').textContent"), "0 of 0")
        snapshot = browser.page(lab.url, scripts=False)
        text = snapshot.run("document.body.innerText")
        check("without scripts, a service that is not found is named", f"srv {name}" in text)
        snapshot.close()
        page.close()


def main():
    programs = sys.argv[1]
    with Browser() as browser:
        servers = Servers()
        with Lab(programs, servers) as lab:
            lab.load()
            page = check_outage(browser, lab)
            check_snapshot(browser, lab)
            check_hidden(browser, page)
            check_connection(lab, page)
        check_hostile(browser, programs)
        check_discovery(browser, programs)
    print(f"{len(failures)} failed" if failures else "all checks of the page passed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
