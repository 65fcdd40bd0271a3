using System.Text.Json;

namespace Telemetry.Inputs;

/// <summary>The state of one input at one moment: an object of its own in the agent's status.</summary>
public interface IInputStatus
{
    /// <summary>The key of the object; the input's <see cref="IInput.Name"/>.</summary>
    string Name { get; }

    /// <summary>Writes the members of the object.</summary>
    void Write(Utf8JsonWriter json);
}
