# Prints what a completion file ($1) offers at the end of a line ($2). Runs an
# interactive zsh below, in which compadd records the matches.
zmodload zsh/zpty
zpty below zsh -f -i
zpty -w below "PS1= PROMPT2= ; unsetopt zle_bracketed_paste; fpath=(${1:h} \$fpath); autoload -U compinit; compinit -u -D"
zpty -w below 'compadd() { local -a hits; builtin compadd -O hits "$@"; (( $#hits == 0 )) || { print -rl -- "<"$^hits">" >> words; builtin compadd "$@"; } }'
zpty -w below 'done-listing() { : >> listed; zle kill-whole-line; }; zle -N done-listing; zle -C every complete-word _main_complete; bindkey "^T" every; bindkey "^O" done-listing; : >> ready'
wait-for() { local tries=0; until [[ -e $1 ]] || (( ++tries > 200 )); do sleep 0.05; done; [[ -e $1 ]]; }
wait-for ready || exit 1
zpty -w -n below "$2"$'\C-t\C-o'
wait-for listed || exit 1
zpty -d below
sort -u words 2> /dev/null | sed -n 's/^<\(.*\)>$/\1/p'
