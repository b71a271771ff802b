# valetkey: makes `valetkey use NAME` work in this shell.
function valetkey {
    $program = Get-Command valetkey -CommandType Application -TotalCount 1 -ErrorAction Stop
    if ($args.Count -eq 0 -or $args[0] -cne 'use') {
        & $program @args
        return
    }
    $rest = @($args | Select-Object -Skip 1)
    if ($rest -ccontains '--help' -or $rest -ccontains '-h') {
        & $program use --help
        return
    }
    # Even if this fails, the shell keeps no credentials and no region of the previous customer.
    if ($Env:VALETKEY_PROFILE) { Remove-Item -ErrorAction Ignore Env:AWS_REGION, Env:AWS_DEFAULT_REGION }
    foreach ($name in '@VARIABLES@'.Split(' ')) { Remove-Item -ErrorAction Ignore "Env:$name" }
    $lines = & $program use --shell powershell @rest
    if ($LASTEXITCODE -ne 0) { throw 'valetkey use failed: no credentials are set' }
    # Out-String is not used: it may truncate lines at the width of the host (its -Width).
    Invoke-Expression ($lines -join "`n")
}
