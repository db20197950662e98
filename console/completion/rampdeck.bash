# Completion of rampdeck for bash. Drawn from the program's own options: python -m console.completion.draw
_rampdeck() {
    local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD - 1]}" at="" words="" place
    COMPREPLY=()
    for ((place = 1; place < COMP_CWORD; place++)); do
        case "$at:${COMP_WORDS[place]}" in
            ":demo" | ":inject" | ":status" | ":watch" | ":drift" | ":config" | "config:show" | \
            "config:check" | ":doctor" | ":policy" | "policy:check" | "policy:schema" | "policy:init" | \
            "policy:adopt" | ":simulate" | ":plan" | "plan:show" | ":approve" | ":revoke" | ":apply" | \
            ":freeze" | ":rollback" | ":kill" | ":panic" | ":clear" | ":restore" | ":resume" | \
            ":permit-reduce" | ":incident" | "incident:declare" | "incident:resolve" | "incident:export" | \
            ":ack" | ":note" | ":burnin" | "burnin:extend" | "burnin:waive" | ":drill" | "drill:list" | \
            ":ledger" | "ledger:list" | "ledger:show" | "ledger:verify" | "ledger:export" | ":completion")
                at="${at:+$at }${COMP_WORDS[place]}" ;;
        esac
    done
    case "$at:$prev" in
        ":--config" | ":--policy" | "demo:--config" | "demo:--policy" | "demo:--dir" | \
            "inject:--config" | "inject:--policy" | "inject:--dir" | "status:--config" | \
            "status:--policy" | "watch:--config" | "watch:--policy" | "drift:--config" | "drift:--policy" | \
            "config:--config" | "config:--policy" | "config show:--config" | "config show:--policy" | \
            "config check:--config" | "config check:--policy" | "doctor:--config" | "doctor:--policy" | \
            "policy:--config" | "policy:--policy" | "policy check:--config" | "policy check:--policy" | \
            "policy schema:--config" | "policy schema:--policy" | "policy init:--config" | \
            "policy init:--policy" | "policy init:-o" | "policy init:--output" | "policy adopt:--config" | \
            "policy adopt:--policy" | "simulate:--config" | "simulate:--policy" | "plan:--config" | \
            "plan:--policy" | "plan:-o" | "plan:--output" | "plan show:--config" | "plan show:--policy" | \
            "approve:--config" | "approve:--policy" | "approve:--key" | "revoke:--config" | \
            "revoke:--policy" | "apply:--config" | "apply:--policy" | "freeze:--config" | \
            "freeze:--policy" | "rollback:--config" | "rollback:--policy" | "kill:--config" | \
            "kill:--policy" | "panic:--config" | "panic:--policy" | "clear:--config" | "clear:--policy" | \
            "clear:-o" | "clear:--output" | "restore:--config" | "restore:--policy" | "restore:-o" | \
            "restore:--output" | "resume:--config" | "resume:--policy" | "permit-reduce:--config" | \
            "permit-reduce:--policy" | "incident declare:--config" | "incident declare:--policy" | \
            "incident resolve:--config" | "incident resolve:--policy" | "incident export:--config" | \
            "incident export:--policy" | "incident export:--to" | "ack:--config" | "ack:--policy" | \
            "note:--config" | "note:--policy" | "burnin extend:--config" | "burnin extend:--policy" | \
            "burnin waive:--config" | "burnin waive:--policy" | "burnin waive:-o" | \
            "burnin waive:--output" | "drill:--config" | "drill:--policy" | "drill list:--config" | \
            "drill list:--policy" | "ledger list:--config" | "ledger list:--policy" | \
            "ledger show:--config" | "ledger show:--policy" | "ledger verify:--config" | \
            "ledger verify:--policy" | "ledger export:--config" | "ledger export:--policy" | \
            "completion:--config" | "completion:--policy")
            return ;;
        "demo:--scenario" | "demo:--seed" | "demo:--speed" | "demo:--until" | "status:--since" | \
            "status:--signal" | "status:--window" | "status:--book" | "doctor:--wait" | \
            "policy adopt:--approval" | "plan:--to" | "approve:--reason" | "revoke:--of" | \
            "revoke:--reason" | "apply:--approval" | "apply:--confirm" | "freeze:--confirm" | \
            "freeze:--reason" | "rollback:--to" | "rollback:--confirm" | "rollback:--reason" | \
            "kill:--confirm" | "kill:--reason" | "panic:--to" | "panic:--reason" | "clear:--because" | \
            "clear:--approval" | "restore:--confirm" | "restore:--approval" | "resume:--confirm" | \
            "permit-reduce:--for" | "permit-reduce:--reason" | "ack:--text" | "note:--about" | \
            "burnin extend:--for" | "burnin extend:--reason" | "burnin waive:--reason" | \
            "burnin waive:--approval" | "drill:--to" | "ledger list:--ledger" | "ledger list:--actor" | \
            "ledger list:--stage" | "ledger list:--intent" | "ledger list:--since" | \
            "ledger list:--until" | "ledger list:--text" | "ledger list:--limit" | "ledger show:--ledger" | \
            "ledger verify:--ledger" | "ledger verify:--anchor" | "ledger export:--ledger" | \
            "ledger export:--actor" | "ledger export:--stage" | "ledger export:--intent" | \
            "ledger export:--since" | "ledger export:--until" | "ledger export:--text")
            compopt +o default; return ;;
        "drill:--mode")
            mapfile -t COMPREPLY < <(compgen -W "tabletop paper" -- "$cur"); return ;;
        "drill:--kind")
            mapfile -t COMPREPLY < <(compgen -W "kill rollback" -- "$cur"); return ;;
        "drill:--path")
            mapfile -t COMPREPLY < <(compgen -W "key command trigger hangup" -- "$cur"); return ;;
        "drill:--inject")
            mapfile -t COMPREPLY < <(compgen -W "stale-metric nan-metric clock-skew push-refused ledger-full half-cancels self-heal-reverts" -- "$cur"); return ;;
        "ledger list:--kind" | "ledger export:--kind")
            mapfile -t COMPREPLY < <(compgen -W "acknowledged alarm alarm-suppressed approval-recorded approval-refused approval-rejected approval-revoked baseline burn-in committed confirmation-failed converged dark denied diverged drill external-change gap genesis incident intent latch-clear-refused latch-cleared latch-opened lease note outcome permit plan-requested policy-adopted reason roster-adopted seal" -- "$cur"); return ;;
        "ledger export:--format")
            mapfile -t COMPREPLY < <(compgen -W "jsonl csv" -- "$cur"); return ;;
    esac
    case "$at" in
        "")
            words="demo inject status watch drift config doctor policy simulate plan approve revoke apply freeze rollback kill panic clear restore resume permit-reduce incident ack note burnin drill ledger completion -h --help --config --policy --json --read-only --ascii --no-mouse"; compopt +o default ;;
        "demo")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --scenario --seed --speed --dir --no-approver --headless --until"; compopt +o default ;;
        "inject")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --dir"; compopt +o default ;;
        "status")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --since --signal --window --book --plain --watch"; compopt +o default ;;
        "watch")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --act --take-over"; compopt +o default ;;
        "drift")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse"; compopt +o default ;;
        "config")
            words="show check -h --help --config --policy --json --read-only --ascii --no-mouse"; compopt +o default ;;
        "config show")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse"; compopt +o default ;;
        "config check")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse"; compopt +o default ;;
        "doctor")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --wait"; compopt +o default ;;
        "policy")
            words="check schema init adopt -h --help --config --policy --json --read-only --ascii --no-mouse"; compopt +o default ;;
        "policy check")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse" ;;
        "policy schema")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse"; compopt +o default ;;
        "policy init")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse -o --output --yes" ;;
        "policy adopt")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --approval"; compopt +o default ;;
        "simulate")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse"; compopt +o default ;;
        "plan")
            words="show -h --help --config --policy --json --read-only --ascii --no-mouse --to -o --output --patch"; compopt +o default ;;
        "plan show")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --patch" ;;
        "approve")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --key --reject --reason --yes" ;;
        "revoke")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --of --reason"; compopt +o default ;;
        "apply")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --approval --confirm" ;;
        "freeze")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --confirm --reason"; compopt +o default ;;
        "rollback")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --to --confirm --reason --print"; compopt +o default ;;
        "kill")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --confirm --reason --print"; compopt +o default ;;
        "panic")
            words="block cancel step-down verify -h --help --config --policy --json --read-only --ascii --no-mouse --to --reason --print"; compopt +o default ;;
        "clear")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --because --approval --ask -o --output"; compopt +o default ;;
        "restore")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --confirm --approval --ask -o --output"; compopt +o default ;;
        "resume")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --confirm"; compopt +o default ;;
        "permit-reduce")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --for --reason"; compopt +o default ;;
        "incident")
            words="declare resolve export -h --help"; compopt +o default ;;
        "incident declare")
            words="SEV1 SEV2 SEV3 -h --help --config --policy --json --read-only --ascii --no-mouse"; compopt +o default ;;
        "incident resolve")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse"; compopt +o default ;;
        "incident export")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --to --force"; compopt +o default ;;
        "ack")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --text"; compopt +o default ;;
        "note")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --about --reason"; compopt +o default ;;
        "burnin")
            words="extend waive -h --help"; compopt +o default ;;
        "burnin extend")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --for --reason"; compopt +o default ;;
        "burnin waive")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --reason --approval --ask -o --output"; compopt +o default ;;
        "drill")
            words="list -h --help --config --policy --json --read-only --ascii --no-mouse --mode --kind --to --path --inject"; compopt +o default ;;
        "drill list")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse"; compopt +o default ;;
        "ledger")
            words="list show verify export -h --help"; compopt +o default ;;
        "ledger list")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --ledger --kind --actor --stage --intent --since --until --text --limit"; compopt +o default ;;
        "ledger show")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --ledger"; compopt +o default ;;
        "ledger verify")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --ledger --anchor"; compopt +o default ;;
        "ledger export")
            words="-h --help --config --policy --json --read-only --ascii --no-mouse --ledger --kind --actor --stage --intent --since --until --text --format"; compopt +o default ;;
        "completion")
            words="bash zsh fish -h --help --config --policy --json --read-only --ascii --no-mouse"; compopt +o default ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -o default -F _rampdeck rampdeck
