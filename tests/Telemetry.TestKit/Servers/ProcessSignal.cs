namespace Telemetry.TestKit.Servers;

/// <summary>Signals of Linux, by number.</summary>
public enum ProcessSignal
{
    None = 0,
    Interrupt = 2,
    Quit = 3,
    Kill = 9,
    Terminate = 15,
    Continue = 18,

    /// <summary>Stands still without a word to its peers: a peer that hangs.</summary>
    Stop = 19,
}
