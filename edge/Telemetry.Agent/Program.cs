using Telemetry.Agent.Commands;
using Telemetry.Agent.Configuration;
using Telemetry.Agent.Hosting;
using Telemetry.Runtime.Commands;

// The daemon of one gateway: `Telemetry.Agent --help` names the commands.
var agent = new EdgeProgram<AgentOptions>(
    ProgramName.OfThisProcess("Telemetry.Agent"),
    AgentConfiguration.Read,
    options => new EdgeProcess([options], options.StatusPort, options.StopTimeout, TimeProvider.System),
    options => $"gateway {options.Gateway}, outbox {options.OutboxFile}, "
        + $"uplink {options.Uplink.Host}:{options.Uplink.Port}{(options.Uplink.Tls ? " (TLS)" : "")}"
        + (options.Traces.EndpointShown is { Length: > 0 } collector ? $", traces to {collector}" : ""));
return await EdgeCommandLine.RunAsync(agent, args, Console.Out, Console.Error);
