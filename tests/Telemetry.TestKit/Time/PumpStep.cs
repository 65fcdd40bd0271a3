namespace Telemetry.TestKit.Time;

/// <summary>One piece of work that runs without interruption, and whose it is.</summary>
internal readonly record struct PumpStep(PumpScope Scope, Task Task)
{
    public void Run() => Scope.Run(Task);
}
