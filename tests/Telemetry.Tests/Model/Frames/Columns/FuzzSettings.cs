namespace Telemetry.Tests.Model.Frames.Columns;

/// <summary>How much the codec is put through; eng/fuzz.sh asks for more by environment variables.</summary>
internal static class FuzzSettings
{
    /// <summary>Random batches that must come back bit for bit.</summary>
    public static readonly int Rounds = Setting("TELEMETRY_CODEC_ROUNDS", 1_000);

    /// <summary>Damaged frames that must be read or refused.</summary>
    public static readonly int Mutations = Setting("TELEMETRY_CODEC_MUTATIONS", 10_000);

    /// <summary>Frames, sound ones and as many damaged ones, of which another decoder must think the same.</summary>
    public static readonly int Comparisons = Setting("TELEMETRY_CODEC_COMPARISONS", 300);

    /// <summary>What all chance comes from.</summary>
    public static readonly int Seed = Setting("TELEMETRY_CODEC_SEED", 1);

    private static int Setting(string name, int standard) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), out var stated) ? stated : standard;
}
