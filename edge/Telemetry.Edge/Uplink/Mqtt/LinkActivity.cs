namespace Telemetry.Edge.Uplink.Mqtt;

/// <summary>When something last happened on a connection, since it was made.</summary>
/// <param name="Sending">A packet began to be written.</param>
/// <param name="Written">A part of a packet was taken by the network.</param>
/// <param name="Received">Bytes came.</param>
internal readonly record struct LinkActivity(TimeSpan Sending, TimeSpan Written, TimeSpan Received);
