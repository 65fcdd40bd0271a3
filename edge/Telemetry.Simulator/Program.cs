using Telemetry.Agent.Commands;
using Telemetry.Agent.Hosting;
using Telemetry.Runtime.Commands;
using Telemetry.Simulator;

// A fleet of real agents in one process, each with an outbox file of its own: `Telemetry.Simulator --help` names the
// commands.
var fleet = new EdgeProgram<FleetOptions>(
    ProgramName.OfThisProcess("Telemetry.Simulator"),
    FleetConfiguration.Read,
    options => new EdgeProcess(
        options.Agents(), options.Agent.StatusPort, options.Agent.StopTimeout, TimeProvider.System),
    options => $"{options.Gateways} gateways in {options.Folder}, "
        + $"uplink {options.Agent.Uplink.Host}:{options.Agent.Uplink.Port}");
return await EdgeCommandLine.RunAsync(fleet, args, Console.Out, Console.Error);
