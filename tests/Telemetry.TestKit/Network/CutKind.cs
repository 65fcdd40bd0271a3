namespace Telemetry.TestKit.Network;

/// <summary>How a connection through a <see cref="FaultProxy"/> goes away.</summary>
public enum CutKind
{
    /// <summary>Both sides get a TCP reset; new connections are reset too.</summary>
    Reset,

    /// <summary>
    /// Nothing goes through and nobody is told, as when a link is down: connections stay open, new ones open and
    /// stay silent. What was on the way arrives after <see cref="FaultProxy.Heal"/>, as TCP does it.
    /// </summary>
    Silent,
}
