namespace Telemetry.Model.Wire;

/// <summary>The kind of a message in the log.</summary>
public enum FrameKind : byte
{
    /// <summary>A frame with readings; some of the sequences that it covers may be dropped.</summary>
    Readings = 0,

    /// <summary>A frame whose readings are all dropped or refused: declarations only.</summary>
    Tombstone = 1,

    /// <summary>A schema: it has no sequence and settles nothing.</summary>
    Schema = 2,
}
