namespace Telemetry.Edge.Uplink.Mqtt;

/// <summary>When something last happened on a connection, as time since it was made.</summary>
/// <param name="Sending">A packet began to be written.</param>
/// <param name="Written">The network accepted a part of a packet.</param>
/// <param name="Received">Bytes arrived.</param>
internal readonly record struct LinkActivity(TimeSpan Sending, TimeSpan Written, TimeSpan Received);
