using Telemetry.Edge.Configuration;
using Telemetry.Edge.Hosting;
using Telemetry.Simulator;

// A fleet of real agents in one process, each with an outbox file of its own:
//   Telemetry.Simulator run   --config fleet.json
//   Telemetry.Simulator check --config fleet.json
// TELEMETRY_AGENT__SECTION__KEY in the environment overrides section.key of the file.

var command = CommandLine.Parse(args);
if (command is null)
{
    Console.Error.WriteLine("usage: Telemetry.Simulator run|check --config FILE");
    return EdgeProcess.Misused;
}

var options = command.Read(FleetOptions.Read, Environment.GetEnvironmentVariables(), Console.Error);
if (options is null)
{
    return EdgeProcess.Misused;
}

if (command.Check)
{
    Console.WriteLine($"{command.ConfigurationFile}: {options.Gateways} gateways in {options.Folder}, "
        + $"uplink {options.Agent.Uplink.Host}:{options.Agent.Uplink.Port}: good");
    return EdgeProcess.Ended;
}

using var logging = EdgeProcess.Logging();
return await new EdgeProcess(options.Agents(), options.Agent.StatusPort, options.Agent.StopTimeout, TimeProvider.System)
    .RunAsync(logging, Random.Shared.Next());
