# valetkey: makes `valetkey use NAME` work in this shell.
function valetkey --description 'Let an outside party into an AWS account'
    if test (count $argv) -eq 0; or test "$argv[1]" != use
        command valetkey $argv
        return
    end
    set -e argv[1]
    if contains -- --help $argv; or contains -- -h $argv
        command valetkey use --help
        return
    end
    # Whatever becomes of it, this shell keeps no credentials of the customer before, nor that customer's region.
    set -l gone @VARIABLES@
    if set -q VALETKEY_PROFILE
        set -a gone AWS_REGION AWS_DEFAULT_REGION
    end
    for name in $gone
        # A universal variable stands behind a global one.
        while set -q $name
            set -e $name; or break
        end
    end
    set -l lines (command valetkey use --shell fish $argv)
    or return
    string join \n -- $lines | source
end
