using Telemetry.Edge.Outbox;

namespace Telemetry.Inputs;

/// <summary>
/// A source of readings. Runs on its agent's loop, where it may call the outbox. What it offers counts as taken only
/// when the offer has completed (G1).
/// </summary>
public interface IInput : IDisposable
{
    /// <summary>Its word in configuration, status and log.</summary>
    string Name { get; }

    /// <summary>How many readings the outbox has acknowledged to it, in this run of the process.</summary>
    long Acknowledged { get; }

    /// <summary>How many readings the outbox has refused, in this run of the process.</summary>
    long Refused { get; }

    /// <summary>What it shows in the agent's status beside these counts; null for nothing.</summary>
    IInputStatus? Status => null;

    /// <summary>
    /// Offers readings until it is cancelled or has no more; then waits for the offers that are under way and returns
    /// without an exception. <see cref="OutboxException"/> goes through: the caller opens the outbox anew and runs the
    /// input again.
    /// </summary>
    Task RunAsync(ReadingOutbox outbox, CancellationToken cancellationToken);
}
