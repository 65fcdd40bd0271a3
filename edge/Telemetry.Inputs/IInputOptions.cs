namespace Telemetry.Inputs;

/// <summary>What an input is started with; <see cref="InputKind.Read"/> reads it.</summary>
public interface IInputOptions
{
    /// <summary>Makes the input; it does nothing until it is run.</summary>
    IInput Create(InputContext context);

    /// <summary>
    /// What would keep the input from running, a sentence each that begins with the key; changes nothing.
    /// </summary>
    IEnumerable<string> StartProblems() => [];

    /// <summary>The options of the agent with this number, from 1, in a fleet that has these in common.</summary>
    IInputOptions ForFleetMember(int number) => this;
}
