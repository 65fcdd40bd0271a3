namespace Telemetry.TestKit.Simulated;

/// <summary>The faults of one message or connection of a <see cref="SimulatedLink"/>.</summary>
public enum LinkFault
{
    /// <summary>No connection can be made.</summary>
    RefusesConnection,

    /// <summary>The connection breaks while a message is on its way; it may arrive or not.</summary>
    Disconnects,

    /// <summary>A publish never arrives; the connection breaks when the sender has waited long enough.</summary>
    LosesMessage,

    /// <summary>A publish arrives much later, even after messages of a later connection.</summary>
    DelaysMessage,

    /// <summary>A publish arrives twice (a broker in between may cause that).</summary>
    DoublesMessage,

    /// <summary>A publish is overtaken by later ones (a broker in between may cause that).</summary>
    ReordersMessage,

    /// <summary>It arrived, but its PUBACK never does.</summary>
    LosesAck,

    /// <summary>The PUBACK arrives without the receipt.</summary>
    LosesReceipt,

    /// <summary>A message to the gateway is lost.</summary>
    LosesDown,

    /// <summary>A message to the gateway arrives twice.</summary>
    DoublesDown,

    /// <summary>A message to the gateway arrives much later.</summary>
    DelaysDown,
}
