using Telemetry.Agent.Configuration;
using Telemetry.Agent.Hosting;
using Telemetry.Runtime.Commands;
using Telemetry.Runtime.Settings;

namespace Telemetry.Agent.Commands;

/// <summary>A program of the edge: the agent, or a fleet of agents in one process.</summary>
/// <param name="Name">The program's name.</param>
/// <param name="Read">Reads its options; problems stay in the reader.</param>
/// <param name="Process">Makes what runs, and what is checked.</param>
/// <param name="Describe">What options say, in one line, where nothing is wrong with them.</param>
public sealed record EdgeProgram<T>(
    ProgramName Name, Func<SettingsReader, T> Read, Func<T, EdgeProcess> Process, Func<T, string> Describe)
    where T : class
{
    /// <summary>The options of a file with the environment over it; null when there are problems.</summary>
    public T? Options(string file, TextWriter errors)
    {
        var reader = new SettingsReader(SettingsTree.Load(
            file, AgentConfiguration.EnvironmentPrefix, Environment.GetEnvironmentVariables()));
        var options = Read(reader);
        reader.Problems.ForEach(errors.WriteLine);
        return reader.Problems.Count == 0 ? options : null;
    }
}
