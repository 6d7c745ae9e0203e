//! Examples at the end of `--help`. A test parses each.

pub(crate) const LIST: &str = "\
Examples:
  nsls                                the namespaces that this user may see
  nsls -t net,mnt                     those of two types
  nsls -p 1234                        those of process 1234
  nsls /run/netns/blue                the processes in a namespace
  nsls --container web -o +HOSTNAME   those of a container, with a column more
  nsls -Q 'NPROCS == 0' -o +HOLDERS   without processes, and what holds them
  nsls --json | jq '.namespaces[]'    for a program

nsls explain prints what there is to know of a type, column, gap or holder.";

pub(crate) const FIND: &str = "\
Examples:
  nsls find :8080                     who listens on a port
  nsls find --enter veth3cbe7a1       the other end, and how to enter it
  nsls find /mnt/data                 which mount namespaces keep it busy";

pub(crate) const HOLDERS: &str = "\
Examples:
  nsls holders /run/netns/blue        what keeps it alive
  nsls holders --chain 4026532180     and what keeps that, down to processes";

pub(crate) const COMPARE: &str = "\
Examples:
  nsls compare web db                 what two containers share
  nsls compare 1 $$                   what this shell shares with process 1";

pub(crate) const DIFF: &str = "\
Examples:
  nsls --json > before.json           now, and later:
  nsls diff before.json
  nsls diff monday-tree tuesday-tree";

pub(crate) const CONTAINERS: &str = "\
Examples:
  nsls containers                     all of them, and what they share
  nsls containers --json=lines        one object for each";

pub(crate) const TRANSLATE: &str = "\
Examples:
  nsls translate 1234                 its PIDs in the namespaces below
  nsls translate 25 --from web        the PID here of 25 in a container";

pub(crate) const LIMITS: &str = "\
Examples:
  nsls limits                         the nearest first
  nsls limits --why ann               what counts against a user";

pub(crate) const METRICS: &str = "\
Examples:
  nsls metrics
  nsls metrics --output /var/lib/prometheus/node-exporter/nsls.prom";

pub(crate) const LEAKS: &str = "\
Examples:
  nsls leaks                          with the command that lets go of each
  nsls leaks -t net -- make test      what a command left behind";

pub(crate) const EXEC: &str = "\
Examples:
  nsls exec -t net -- ss -ltnp        in every net namespace
  nsls exec web -t net -- ip addr     in that of a container
  nsls exec -t net -- echo {} {pid}   its name and lowest PID";

pub(crate) const WATCH: &str = "\
Examples:
  nsls watch -t net                   until Ctrl-C
  nsls watch --until 10s --json       for ten seconds, as JSON lines
  nsls watch --exec logger seen       a command for each event";

pub(crate) const GRAPH: &str = "\
Examples:
  nsls graph > namespaces.html        a page for a browser
  nsls graph --format svg --view wires > wires.svg
  nsls graph --format dot saved.json | dot -Tpdf > namespaces.pdf";

pub(crate) const CAPTURE: &str = "\
Examples:
  nsls capture tree                   save the system as it is
  nsls --sysroot tree -t net          read it, here or elsewhere";

pub(crate) const EXPLAIN: &str = "\
Examples:
  nsls explain                        the types of namespaces
  nsls explain net                    what it isolates, and what holds one
  nsls explain HOLDERS                a column
  nsls explain gap denied             a cause in the gaps, and what to do";
