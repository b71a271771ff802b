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
    # Even if this fails, the shell keeps no credentials and no region of the previous customer.
    set -l gone @VARIABLES@
    if set -q VALETKEY_PROFILE
        set -a gone AWS_REGION AWS_DEFAULT_REGION
    end
    for name in $gone
        # A global variable can hide a universal one.
        while set -q $name
            set -e $name; or break
        end
    end
    set -l lines (command valetkey use --shell fish $argv)
    or return
    string join \n -- $lines | source
end
