namespace Telemetry.TestKit.Network;

/// <summary>How a connection through a <see cref="FaultProxy"/> is interrupted.</summary>
public enum CutKind
{
    /// <summary>Both sides get a TCP reset; new connections are reset too.</summary>
    Reset,

    /// <summary>
    /// No bytes pass and neither side is informed, as when a link is down: connections stay open, and new ones open but
    /// carry nothing. Bytes in transit arrive after <see cref="FaultProxy.Heal"/>, as with TCP.
    /// </summary>
    Silent,
}
