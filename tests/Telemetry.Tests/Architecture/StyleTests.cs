namespace Telemetry.Tests.Architecture;

public sealed class StyleTests
{
    /// <summary>Offences older than these tests, by rule and file. The list only gets shorter.</summary>
    private static readonly HashSet<(string Rule, string Path)> Older =
    [
        // The values of the generator are the same in every run, which is what its seed is for.
        (nameof(StyleRules.PredictableChance), "edge/Telemetry.Inputs/Generator/GeneratorSeries.cs"),
    ];

    private static readonly string[] Sources = [.. SourceTree.Files(".cs")];

    [Fact]
    public void No_file_is_long_without_saying_why() => AssertHolds(StyleRules.TooLong);

    [Fact]
    public void No_line_is_wider_than_a_window() => AssertHolds(StyleRules.TooWide);

    [Fact]
    public void No_file_has_a_name_that_says_nothing() => AssertHolds(StyleRules.BadName);

    [Fact]
    public void No_file_has_regions() => AssertHolds(StyleRules.Region);

    [Fact]
    public void Time_and_chance_are_injected() => AssertHolds(StyleRules.AmbientTimeOrChance);

    [Fact]
    public void No_process_draws_its_ids_from_a_seed() => AssertHolds(StyleRules.PredictableChance);

    [Fact]
    public void No_transaction_is_held_for_ever_by_a_process_that_is_frozen() =>
        AssertHolds(StyleRules.EndlessTransaction);

    [Fact]
    public void Nothing_leaves_the_context_that_it_runs_in() => AssertHolds(StyleRules.LeftContext);

    [Theory]
    [InlineData("cloud/A.cs", "var now = DateTime.UtcNow;", 1)]
    [InlineData("cloud/A.cs", "var now = DateTimeOffset.UtcNow;", 1)]
    [InlineData("shared/A.cs", "var id = Guid.NewGuid();", 1)]
    [InlineData("edge/A.cs", "Thread.Sleep(1);", 1)]
    [InlineData("edge/A.cs", "var random = Random.Shared;", 1)]
    [InlineData("edge/A.cs", "// not DateTime.UtcNow: it can step back", 0)]
    [InlineData("edge/A.cs", "Call(\"http://x\", DateTime.UtcNow);", 1)]
    [InlineData("edge/A/Program.cs", "var now = DateTime.UtcNow;", 0)]
    [InlineData("tests/A.cs", "var now = DateTime.UtcNow;", 0)]
    public void Ambient_time_and_chance_are_recognised(string path, string line, int offences) =>
        Assert.Equal(offences, StyleRules.AmbientTimeOrChance(path, [line]).Count());

    [Theory]
    [InlineData("cloud/A.cs", "await connection.BeginTransactionAsync(token);", 1)]
    [InlineData("cloud/A.cs", "using var transaction = connection.BeginTransaction(IsolationLevel.Snapshot);", 1)]
    [InlineData("cloud/A.cs", "producer.BeginTransaction();", 0)]
    [InlineData("cloud/CommitConnection.cs", "await connection.BeginTransactionAsync(token);", 0)]
    [InlineData("tests/A.cs", "await connection.BeginTransactionAsync(token);", 0)]
    public void Endless_transactions_are_recognised(string path, string line, int offences) =>
        Assert.Equal(offences, StyleRules.EndlessTransaction(path, [line]).Count());

    [Theory]
    [InlineData("await task.ConfigureAwait(false);", 1)]
    [InlineData("await task.ConfigureAwait(continueOnCapturedContext: false);", 1)]
    [InlineData("await task;", 0)]
    public void Left_context_is_recognised(string line, int offences) =>
        Assert.Equal(offences, StyleRules.LeftContext("shared/A.cs", [line]).Count());

    [Theory]
    [InlineData("MqttHelper.cs", 1)]
    [InlineData("ByteUtils.cs", 1)]
    [InlineData("SessionManager.cs", 1)]
    [InlineData("CommonTypes.cs", 1)]
    [InlineData("Utilization.cs", 0)]
    [InlineData("Session.cs", 0)]
    public void Empty_names_are_recognised(string name, int offences) =>
        Assert.Equal(offences, StyleRules.BadName("edge/" + name, []).Count());

    [Fact]
    public void Long_file_passes_only_with_a_reason_at_its_top()
    {
        var lines = Enumerable.Repeat("", StyleRules.LinesMax + 1).ToArray();
        Assert.Single(StyleRules.TooLong("edge/A.cs", lines));

        lines[^1] = "// Long: too late";
        Assert.Single(StyleRules.TooLong("edge/A.cs", lines));

        lines[3] = "// Long: one table of the specification";
        Assert.Empty(StyleRules.TooLong("edge/A.cs", lines));
    }

    [Fact]
    public void Wide_lines_are_recognised() => Assert.Equal(
        ["edge/A.cs:2: 121 columns, at most 120"],
        StyleRules.TooWide("edge/A.cs", [new string('a', 120), new string('a', 121)]));

    [Fact]
    public void Regions_are_recognised() => Assert.Single(StyleRules.Region("edge/A.cs", ["    #region Fields"]));

    private static void AssertHolds(Func<string, string[], IEnumerable<string>> rule)
    {
        Assert.NotEmpty(Sources);
        var offences = Sources
            .Where(path => !Older.Contains((rule.Method.Name, path)))
            .SelectMany(path => rule(path, SourceTree.Lines(path)))
            .ToList();
        Assert.True(offences.Count == 0, string.Join('\n', offences));
    }
}
