namespace Telemetry.TestKit.Time;

/// <summary>
/// Brings the continuations of ordinary async code back to the pump. Every step has an instance of its own: the
/// runtime runs a continuation in place where it meets the very context that was captured, hidden from the pump
/// and without its task scheduler. So every await that had to wait resumes as a step of its own.
/// </summary>
internal sealed class PumpContext(PumpScope scope) : SynchronizationContext
{
    public PumpScope Scope { get; } = scope;

    public override void Post(SendOrPostCallback d, object? state) => Scope.Post(d, state);

    /// <summary>Runs it now, within the present step. Only the pump's own thread may.</summary>
    public override void Send(SendOrPostCallback d, object? state) => Scope.RunNow(d, state);

    public override SynchronizationContext CreateCopy() => this;
}
