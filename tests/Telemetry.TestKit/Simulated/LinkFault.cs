namespace Telemetry.TestKit.Simulated;

/// <summary>What can happen to one message or connection of a <see cref="SimulatedLink"/>.</summary>
public enum LinkFault
{
    /// <summary>Nobody can be reached.</summary>
    RefusesConnection,

    /// <summary>The connection breaks while a message is on its way; it may arrive or not.</summary>
    Disconnects,

    /// <summary>A publish never arrives; the connection breaks when somebody has waited long enough.</summary>
    LosesMessage,

    /// <summary>A publish arrives much later, even behind what a later connection sends.</summary>
    DelaysMessage,

    /// <summary>A publish arrives twice (a broker between may do that).</summary>
    DoublesMessage,

    /// <summary>A publish is overtaken by those behind it (a broker between may do that).</summary>
    ReordersMessage,

    /// <summary>It arrived, but its PUBACK never comes.</summary>
    LosesAck,

    /// <summary>The PUBACK comes without the receipt.</summary>
    LosesReceipt,

    /// <summary>What goes down is lost.</summary>
    LosesDown,

    /// <summary>What goes down comes twice.</summary>
    DoublesDown,

    /// <summary>What goes down comes much later.</summary>
    DelaysDown,
}
