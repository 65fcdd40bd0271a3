namespace Telemetry.TestKit.Time;

/// <summary>Why a <see cref="Pump"/> gave up.</summary>
public enum PumpFailure
{
    /// <summary>The program waits, nothing is ready and no timer is armed.</summary>
    Deadlock,

    /// <summary>Work came from another thread, so that the run would not replay.</summary>
    ForeignThread,

    /// <summary>The next timer lies beyond the limit of simulated time.</summary>
    TimeLimit,

    /// <summary>The limit of steps is reached.</summary>
    StepLimit,
}

/// <summary>A program that a <see cref="Pump"/> cannot run to its end.</summary>
public sealed class PumpException(PumpFailure failure, string message) : Exception(message)
{
    public PumpFailure Failure { get; } = failure;
}
