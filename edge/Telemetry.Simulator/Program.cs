using Telemetry.Agent.Configuration;
using Telemetry.Agent.Hosting;
using Telemetry.Runtime;
using Telemetry.Simulator;

// A fleet of real agents in one process, each with an outbox file of its own:
//   Telemetry.Simulator run   --config fleet.json
//   Telemetry.Simulator check --config fleet.json
// TELEMETRY_AGENT__SECTION__KEY in the environment overrides section.key of the file.

var command = CommandLine.Parse(args);
if (command is null)
{
    return CommandLine.Answer("Telemetry.Simulator", args, Console.Out, Console.Error);
}

var options = command.Read(FleetOptions.Read, Environment.GetEnvironmentVariables(), Console.Error);
if (options is null)
{
    return EdgeProcess.Misused;
}

var process = new EdgeProcess(
    options.Agents(), options.Agent.StatusPort, options.Agent.StopTimeout, TimeProvider.System);
if (command.Check)
{
    List<string> problems = [.. process.Problems()];
    if (problems.Count > 0)
    {
        problems.ForEach(Console.Error.WriteLine);
        return EdgeProcess.Misused;
    }

    Console.WriteLine($"{command.ConfigurationFile}: {options.Gateways} gateways in {options.Folder}, "
        + $"uplink {options.Agent.Uplink.Host}:{options.Agent.Uplink.Port}: good");
    return EdgeProcess.Ended;
}

using var logging = EdgeProcess.Logging();
return await process.RunAsync(logging, SystemRandom.Instance);
