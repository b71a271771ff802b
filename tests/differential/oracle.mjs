// The outside referee: one long-lived process, one JSON object per line in and out.
//
//   {"ask": "version"}                       -> {"version": "..."}
//   {"ask": "decide", "cases": [case, ...]}  -> {"verdicts": ["allowed" | "explicit_deny" | "implicit_deny" | "error: ..."]}
//   {"ask": "rate", "case": case, "seconds": 1} -> {"verdict": "...", "per_second": 12345.6}
//
// A case is what tests/differential/cases.py describes. `decide` uses the core `authorize`, which judges every side; it
// is not exported by name, so it is loaded by file path. `rate` uses the package's public `runSimulation`.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const scope = new URL('./node_modules/@cloud-copilot/', import.meta.url)
const engine = new URL('iam-simulate/dist/esm/', scope)
const { authorize } = await import(new URL('core_engine/CoreSimulatorEngine.js', engine))
const { AwsRequestImpl } = await import(new URL('request/request.js', engine))
const { RequestContextImpl } = await import(new URL('requestContext.js', engine))
const { DiscoveryContextKeyConstraints } = await import(new URL('context_keys/discoveryContextKeyConstraints.js', engine))
const { loadPolicy } = await import(new URL('iam-policy/dist/esm/index.js', scope))

const OUTCOMES = { Allowed: 'allowed', ExplicitlyDenied: 'explicit_deny', ImplicitlyDenied: 'implicit_deny' }
const ANYTHING = { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', Resource: '*' } }
// AWS attaches RCPFullAWSAccess to every level and nobody can detach it.
const RCP_FULL_ACCESS = { Version: '2012-10-17', Statement: { Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' } }
const PARAMETERS = {
  simulationMode: 'Strict',
  discoveryContextKeyConstraints: new DiscoveryContextKeyConstraints([])
}

const load = (documents) => documents.map((document, index) => loadPolicy(document, { name: `p${index}` }))
const levels = (list, always) =>
  list.map((documents, index) => ({ orgIdentifier: `level${index}`, policies: load([...always, ...documents]) }))

// A trust policy that is not judged is one that leaves it to the caller's side.
const delegating = (principal) => ({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Principal: { AWS: principal.split(':')[4] }, Action: 'sts:*' }
})

function decide({ request, ...sides }) {
  const unjudged = !sides.trust && !sides.resource && request.action.toLowerCase().startsWith('sts:')
  const document = unjudged ? delegating(request.principal) : sides.trust ?? sides.resource
  try {
    const { result } = authorize({
      request: new AwsRequestImpl(
        request.principal,
        { resource: request.resource, accountId: request.resource_account },
        request.action,
        new RequestContextImpl(request.context),
        request.resource === '*'
      ),
      // "not judged" is what a caller who may do everything looks like
      identityPolicies: load(sides.identity ?? [ANYTHING]),
      sessionPolicy: sides.session ? loadPolicy(sides.session, { name: 'session' }) : undefined,
      permissionBoundaries: sides.boundary ? load([sides.boundary]) : undefined,
      serviceControlPolicies: levels(sides.scps ?? [], []),
      resourceControlPolicies: levels(sides.rcps ?? [], [RCP_FULL_ACCESS]),
      resourcePolicy: document ? loadPolicy(document, { name: 'resource' }) : undefined,
      simulationParameters: PARAMETERS
    })
    return OUTCOMES[result]
  } catch (error) {
    return `error: ${error.message}`
  }
}

async function rate({ request, trust, identity }, seconds) {
  const { runSimulation } = await import(new URL('index.js', engine))
  const simulation = {
    request: {
      principal: request.principal,
      action: request.action,
      resource: { resource: request.resource, accountId: request.resource_account },
      contextVariables: request.context
    },
    identityPolicies: (identity ?? [ANYTHING]).map((policy, index) => ({ name: `p${index}`, policy })),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    resourcePolicy: trust
  }
  const run = () => runSimulation(simulation, { simulationMode: 'Strict' })
  for (let warm = 0; warm < 500; warm++) await run()
  const began = performance.now()
  const used = process.cpuUsage()
  let done = 0
  let last
  while (performance.now() - began < seconds * 1000) {
    for (let i = 0; i < 50; i++) last = await run()
    done += 50
  }
  // On a busy machine wall time is unkind, where helper threads work processor time is: take the kinder one.
  const cpu = process.cpuUsage(used)
  const perSecond = (done * 1000) / Math.min(performance.now() - began, (cpu.user + cpu.system) / 1000)
  return { verdict: OUTCOMES[last.overallResult] ?? JSON.stringify(last.errors), per_second: perSecond }
}

const version = () => JSON.parse(readFileSync(new URL('iam-simulate/package.json', scope))).version

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const message = JSON.parse(line)
  let answer
  if (message.ask === 'decide') answer = { verdicts: message.cases.map(decide) }
  else if (message.ask === 'rate') answer = await rate(message.case, message.seconds)
  else answer = { version: version() }
  process.stdout.write(JSON.stringify(answer) + '\n')
}
