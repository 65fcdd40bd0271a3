using System.Diagnostics.Metrics;
using Telemetry.Runtime.Settings;

namespace Telemetry.Inputs;

/// <summary>One kind of input, as far as an agent has to know it.</summary>
/// <param name="Section">The section of the configuration that turns it on, and its <see cref="IInput.Name"/>.</param>
/// <param name="Read">Reads the section; problems stay in the reader.</param>
public sealed record InputKind(string Section, Func<SettingsReader, IInputOptions> Read)
{
    /// <summary>
    /// False where agents of one process cannot have its options in common, such as a port to listen on.
    /// </summary>
    public bool FitsFleet { get; init; } = true;

    /// <summary>
    /// Makes the instruments of this kind. The function gives the statuses of all inputs of the process, of other kinds
    /// too. None unless given.
    /// </summary>
    public Action<Meter, Func<IEnumerable<IInputStatus>>> Publish { get; init; } = (_, _) => { };
}
