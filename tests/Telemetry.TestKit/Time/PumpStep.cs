namespace Telemetry.TestKit.Time;

/// <summary>One piece of work that runs without interruption, and its scope.</summary>
internal readonly record struct PumpStep(PumpScope Scope, Task Task)
{
    public void Run() => Scope.Run(Task);
}
