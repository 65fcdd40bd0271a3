using Telemetry.Model.Schemas;
using Telemetry.TestKit.Bytes;

namespace Telemetry.Tests.Model.Schemas;

public sealed class SeriesListTests
{
    [Fact]
    public void Ten_times_the_schemas_cost_about_ten_times_the_memory()
    {
        var (thousand, tenThousand) = (Steps(1_000), Steps(10_000));

        var few = AllocatedBytes.Of(() => Extend(thousand));
        var many = AllocatedBytes.Of(() => Extend(tenThousand), few * 12);

        Assert.True(many <= few * 15, $"1,000 schemas allocate {few:n0} bytes, 10,000 allocate {many:n0}");
    }

    [Fact]
    public void Lists_keep_what_they_show_while_others_extend_them()
    {
        var lists = new List<SeriesList>();
        var list = SeriesList.Empty(Samples.Gateway);
        foreach (var step in Steps(100))
        {
            lists.Add(list = list.Extend(step));
        }

        var branch = lists[49].Extend(SchemaMessage.Of(lists[49].Id, [Series("branch")]));

        Assert.All(
            lists.Index(),
            l => Assert.Equal((l.Index + 1, $"m{l.Index}"), (l.Item.Count, l.Item.Entries[^1].Definition.Metric)));
        Assert.Equal(51, branch.Count);
        Assert.Equal(("m49", "branch"), (Metric(branch, 49), Metric(branch, 50)));
        Assert.Equal("m50", Metric(lists[50], 50));
        Assert.Same(lists[0].Line, lists[99].Line);
    }

    internal static List<SchemaMessage> Steps(int count, string name = "m")
    {
        var steps = new List<SchemaMessage>();
        for (var i = 0; i < count; i++)
        {
            steps.Add(SchemaMessage.Of(steps.Count == 0 ? default : steps[^1].Id, [Series($"{name}{i}")]));
        }

        return steps;
    }

    private static string Metric(SeriesList list, int index) => list.Entries[index].Definition.Metric;

    private static SeriesDefinition Series(string metric) => new() { Device = "pump", Metric = metric };

    private static SeriesList Extend(List<SchemaMessage> steps) =>
        steps.Aggregate(SeriesList.Empty(Samples.Gateway), (list, step) => list.Extend(step));
}
