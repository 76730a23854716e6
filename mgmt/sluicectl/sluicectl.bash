# SPDX-License-Identifier: BSD-3-Clause
# bash completion for sluicectl

# The names of functions, from the daemon if it runs.
_sluicectl_functions() {
	sluicectl --json show functions 2>/dev/null | sed -n 's/^ *"name": "\(.*\)",$/\1/p' | sort -u
}

_sluicectl_upstreams() {
	sluicectl --json show upstreams 2>/dev/null | sed -n 's/^ *"group": "\(.*\)",$/\1/p' | sort -u
}

_sluicectl() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local words
	case $before in
	-s | --socket | --plugin)
		COMPREPLY=($(compgen -f -- "$word"))
		return
		;;
	show) words="status ports chains functions applications flows upstreams stats buffers cycles errors" ;;
	upstream) words=$(_sluicectl_upstreams) ;;
	function) words="restart upgrade scale drain" ;;
	restart | upgrade | scale | drain) words=$(_sluicectl_functions) ;;
	*) words="show reload function upstream --socket --json --plugin --version --help" ;;
	esac
	COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _sluicectl sluicectl
