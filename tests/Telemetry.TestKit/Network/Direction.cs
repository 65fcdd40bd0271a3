namespace Telemetry.TestKit.Network;

/// <summary>Which way bytes flow through a <see cref="FaultProxy"/>.</summary>
public enum Direction
{
    ToServer,
    ToClient,
}
