namespace Telemetry.SystemTests.Windows;

/// <summary>What windows said while one gateway was cut off, and afterwards.</summary>
public sealed record CutGatewayReport
{
    /// <summary>How long it was cut off, in seconds.</summary>
    public required double Seconds { get; init; }

    /// <summary>
    /// Windows of the cut gateway that end after the cut and were seen complete during it, added up over all looks.
    /// </summary>
    public required long CompleteMeanwhile { get; init; }

    /// <summary>Windows of the cut gateway that were incomplete at the end of the cut.</summary>
    public required long Incomplete { get; init; }

    /// <summary>Windows of the others that were incomplete at the end of the cut, long after their own end.</summary>
    public required long IncompleteOfOthers { get; init; }

    /// <summary>Windows of one series of the cut gateway that lie within the cut, after the drain.</summary>
    public required long Windows { get; init; }

    /// <summary>Those of them that are complete with revision 0.</summary>
    public required long WindowsAfterwards { get; init; }

    /// <summary>All windows of the cut gateway that are incomplete or have a revision, after the drain.</summary>
    public required long NotAsExpected { get; init; }
}
