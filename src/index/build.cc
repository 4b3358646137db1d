#include "signet/index/build.h"

#include "index/flat_index.h"
#include "index/mih_index.h"
#include "index/pivot_index.h"
#include "index/planned_index.h"
#include "index/rows.h"
#include "index/table_index.h"
#include "signet/base/error.h"

namespace signet {

CodeSource source_of(std::shared_ptr<const CodeMatrix> codes) {
  CodeSource source;
  source.packed = codes->data();
  source.count = codes->size();
  source.bits = codes->bits();
  source.owner = std::move(codes);
  return source;
}

std::unique_ptr<Index> build_index(const CodeSource& codes, const BuildOptions& options) {
  auto rows = std::make_shared<const Rows>(codes);
  if (options.kind == "auto") return std::make_unique<PlannedIndex>(std::move(rows), options);
  if (options.kind == "flat") return std::make_unique<FlatIndex>(std::move(rows));
  if (options.kind == "table") return std::make_unique<TableIndex>(std::move(rows), options.threads);
  if (options.kind == "mih") {
    MihOptions mih;
    mih.threads = options.threads;
    mih.seed = options.seed;
    return std::make_unique<MihIndex>(std::move(rows), mih);
  }
  if (options.kind == "pivot") {
    PivotOptions pivot;
    pivot.threads = options.threads;
    pivot.seed = options.seed;
    return std::make_unique<PivotIndex>(std::move(rows), pivot);
  }
  fail(ErrorCode::kUsage, "index kind \"", options.kind, "\" does not exist; use auto, flat, table, mih or pivot");
}

}  // namespace signet
