#pragma once

#include <thrift/protocol/TCompactProtocol.h>
#include <thrift/transport/TVirtualTransport.h>

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/byte_buffer.h"

namespace longshore::parquet {

/// Appends what Thrift writes to a buffer.
class BufferTransport final : public apache::thrift::transport::TVirtualTransport<BufferTransport> {
 public:
  explicit BufferTransport(ByteBuffer& out) : out_(out) {}
  bool isOpen() const override { return true; }
  void write(const std::uint8_t* bytes, std::uint32_t n) { out_.append(bytes, n); }

 private:
  ByteBuffer& out_;
};

/// Structs in Thrift's compact protocol, by field numbers. Only for this room's .cpp files: Thrift's headers are heavy.
class ThriftWriter {
 public:
  explicit ThriftWriter(ByteBuffer& out) : protocol_(std::make_shared<BufferTransport>(out)) {}

  void begin_struct() { protocol_.writeStructBegin(""); }
  void end_struct() {
    protocol_.writeFieldStop();
    protocol_.writeStructEnd();
  }
  /// A struct inside a field: write its fields, then end_struct().
  void begin_struct(std::int16_t field) {
    protocol_.writeFieldBegin("", apache::thrift::protocol::T_STRUCT, field);
    begin_struct();
  }
  /// A struct without fields, e.g. a choice of a union.
  void empty_struct(std::int16_t field) {
    begin_struct(field);
    end_struct();
  }

  void boolean(std::int16_t field, bool value) {
    protocol_.writeFieldBegin("", apache::thrift::protocol::T_BOOL, field);
    protocol_.writeBool(value);
  }
  void byte(std::int16_t field, int value) {
    protocol_.writeFieldBegin("", apache::thrift::protocol::T_BYTE, field);
    protocol_.writeByte(static_cast<std::int8_t>(value));
  }
  void i16(std::int16_t field, int value) {
    protocol_.writeFieldBegin("", apache::thrift::protocol::T_I16, field);
    protocol_.writeI16(static_cast<std::int16_t>(value));
  }
  template <class Number>
  void i32(std::int16_t field, Number value) {
    protocol_.writeFieldBegin("", apache::thrift::protocol::T_I32, field);
    protocol_.writeI32(static_cast<std::int32_t>(value));
  }
  template <class Number>
  void i64(std::int16_t field, Number value) {
    protocol_.writeFieldBegin("", apache::thrift::protocol::T_I64, field);
    protocol_.writeI64(static_cast<std::int64_t>(value));
  }
  void text(std::int16_t field, std::string_view value) {
    protocol_.writeFieldBegin("", apache::thrift::protocol::T_STRING, field);
    text_item(value);
  }

  void struct_list(std::int16_t field, std::size_t size) {
    begin_list(field, apache::thrift::protocol::T_STRUCT, size);
  }
  void text_list(std::int16_t field, std::size_t size) { begin_list(field, apache::thrift::protocol::T_STRING, size); }
  void i32_list(std::int16_t field, std::size_t size) { begin_list(field, apache::thrift::protocol::T_I32, size); }
  void i64_list(std::int16_t field, std::size_t size) { begin_list(field, apache::thrift::protocol::T_I64, size); }
  void boolean_list(std::int16_t field, std::size_t size) { begin_list(field, apache::thrift::protocol::T_BOOL, size); }
  // Items of a list that was begun.
  void text_item(std::string_view value) { protocol_.writeBinary(std::string(value)); }
  template <class Number>
  void i32_item(Number value) {
    protocol_.writeI32(static_cast<std::int32_t>(value));
  }
  void i64_item(std::int64_t value) { protocol_.writeI64(value); }
  void boolean_item(bool value) { protocol_.writeBool(value); }

 private:
  void begin_list(std::int16_t field, apache::thrift::protocol::TType items, std::size_t size) {
    protocol_.writeFieldBegin("", apache::thrift::protocol::T_LIST, field);
    protocol_.writeListBegin(items, static_cast<std::uint32_t>(size));
  }

  apache::thrift::protocol::TCompactProtocolT<BufferTransport> protocol_;
};

}  // namespace longshore::parquet
