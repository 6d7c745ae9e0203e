d=$(mktemp -d); cp docs/completions/_nsls $d; cp tests/docs/completions/list.zsh $d/l.zsh; cd $d; HOME=$d timeout 30 zsh -f l.zsh $d/_nsls "$1"; echo "rc $?"; ls
